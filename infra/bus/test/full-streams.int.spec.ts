import type { EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { type Bus, connectBus } from '../src/bus.js';
import { collect } from './support/collect.js';
import { appendOf, eventually, usages } from './support/events.js';
import { World } from './support/world.js';

/** RELIABILITY IN-E13: streams that are full. */

const BYTES = 200_000;
let world: World;
let store: EventStore;
let bus: Bus;

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  bus = await connectBus({ url: world.nats.url, name: 'full', streams: { ledgerBytes: BYTES, intakeBytes: BYTES } });
  world.onEnd(() => bus.close());
  await eventually('it is connected', () => bus.connected);
  await bus.ensureStreams();
  store.onAppended((range) => bus.publishRange(range));
});
afterAll(() => world?.end());

test('IN-E13: a full ledger drops its oldest, and who comes later reads them from the store', async () => {
  for (let nth = 0; nth < 20; nth += 1) await store.append(appendOf(0, usages(nth * 50, 50)));
  await eventually('all was taken', () => bus.ackedThrough(0) === 1_000);
  const nc = bus.connection;
  if (nc === null) throw new Error('not connected');
  const { state } = await (await jetstreamManager(nc)).streams.info('LEDGER');
  expect([state.first_seq > 1, state.bytes <= BYTES]).toEqual([true, true]);
  const late = collect({ store, bus, partition: 0 });
  await eventually('it has all', () => late.events.length === 1_000);
  await late.stop();
  expect(late.events.map(({ position }) => position)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
});

test('IN-E13: a full intake refuses what is new, and keeps what it has', async () => {
  const large = Buffer.alloc(60_000, 'x');
  const stored: boolean[] = [];
  for (let nth = 0; nth < 6; nth += 1) stored.push(await bus.publish('usage.ingest.acme', large, headers()));
  expect(stored).toEqual([true, true, true, false, false, false]);
});
