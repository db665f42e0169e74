import { cpSync, rmSync } from 'node:fs';
import type { EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Bus } from '../src/bus.js';
import { fromBatch } from '../src/cloud-event.js';
import { type Relay, startRelay } from '../src/relay/relay.js';
import { appendOf, eventually, usages } from './support/events.js';
import { PARTITIONS, World } from './support/world.js';

/** RELIABILITY F11, F12, T7: EVENTS comes back without what it had acknowledged. */

let world: World;
let store: EventStore;
let bus: Bus;
let relay: Relay;

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  bus = await world.bus('relay');
  relay = startRelay({ store, bus, pool: world.pool, url: world.database.url, pollMs: 50 });
  world.onEnd(() => relay.stop());
  await eventually('it leads', () => relay.partitions().length === PARTITIONS);
});

afterAll(() => world?.end());

let appended = 0;
const append = async (events: number): Promise<void> => {
  await store.append(appendOf(appended % 2, usages(appended, events)));
  appended += events;
};

const manager = async () => {
  if (bus.connection === null) throw new Error('not connected');
  return await jetstreamManager(bus.connection);
};

/** Ids of all that is on EVENTS, duplicates included. Rejects while it is not there. */
const onEvents = async (): Promise<readonly string[]> => {
  const { streams } = await manager();
  const left = (await streams.info('EVENTS')).state.messages;
  const ids: string[] = [];
  if (left === 0 || bus.connection === null) return ids;
  const source = await jetstream(bus.connection).consumers.get('EVENTS');
  for await (const message of await source.fetch({ max_messages: left, expires: 2_000 }))
    ids.push(...fromBatch(message.string()).map(({ id }) => id));
  return ids;
};

const allAreThere = (): Promise<void> =>
  eventually('all are there', async () => new Set(await onEvents().catch(() => [])).size === appended, 60_000);

describe('IN-E15: the relay fans out again what EVENTS lost', () => {
  test('when it comes back empty, all that its retention would have kept', async () => {
    for (let nth = 0; nth < 12; nth += 1) await append(900);
    await allAreThere();
    await world.nats.restart({ signal: 'SIGKILL', wipe: true });
    await append(5);
    await allAreThere();
    expect(bus.counters.fanoutRewinds).toBe(1);
  });

  test('when it comes back older, and then only what is missing', async () => {
    const copy = `${world.nats.dataDir}.copy`;
    await append(10);
    await allAreThere();
    await world.nats.restart({ signal: 'SIGKILL', whileDown: async () => cpSync(world.nats.dataDir, copy, { recursive: true }) });
    await append(10);
    await append(10);
    await allAreThere();
    const before = await onEvents();
    await world.nats.restart({
      signal: 'SIGKILL',
      whileDown: async () => {
        rmSync(world.nats.dataDir, { recursive: true });
        cpSync(copy, world.nats.dataDir, { recursive: true });
        await append(10);
      },
    });
    await allAreThere();
    expect(bus.counters.fanoutRewinds).toBe(2);
    expect((await onEvents()).length).toBeLessThanOrEqual(before.length + 20);
  });

  test('when somebody deletes it', async () => {
    await (await manager()).streams.delete('EVENTS');
    await append(10);
    await allAreThere();
    expect(bus.counters.fanoutRewinds).toBe(3);
  });

  test('and not when it only restarts', async () => {
    await world.nats.restart({ signal: 'SIGKILL' });
    await append(10);
    await allAreThere();
    await relay.stop();
    relay = startRelay({ store, bus, pool: world.pool, url: world.database.url, pollMs: 50 });
    await append(10);
    await allAreThere();
    expect(bus.counters.fanoutRewinds).toBe(3);
    expect(bus.counters.fanoutSkipped).toBe(0);
  });
});
