import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EventStore, EventToAppend } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bus, connectBus } from '../src/bus.js';
import { consumeLedger } from '../src/ledger/consume.js';
import { appendOf, eventually, usage, usages } from './support/events.js';
import { World } from './support/world.js';

/** Of two processes: one appends and publishes, the other follows few types. */
let world: World;
let store: EventStore;
/** Appends of another process that tells nobody, as one of an older release, or without NATS, does. */
let silent: EventStore;
let publisher: Bus;
let consumer: Bus;

beforeAll(async () => {
  world = await World.make();
  [store, silent] = [await world.store(), await world.store()];
  publisher = await world.bus('publisher');
  consumer = await world.bus('consumer');
  store.onAppended((range) => publisher.publishRange(range));
});
afterAll(() => world?.end());

const WANTED = 'ScopeRegistered';
/** Appends of so long are told together, ms. */
const MOMENT_MS = 25;
const wanted = (): EventToAppend => ({ ...usage(0), type: WANTED });
const append = async (partition: number, ...events: readonly EventToAppend[]): Promise<void> => {
  await store.append(appendOf(partition, events));
};
const passed = (count: number): readonly EventToAppend[] => usages(0, count);
const headOf = async (partition: number): Promise<number> => (await store.heads())[partition]?.position ?? 0;
const wantedIn = async (partition: number): Promise<readonly number[]> =>
  (await store.readPartition(partition, 0, 100_000)).filter(({ type }) => type === WANTED).map(({ position }) => position);

const follow = (partition: number, pollMs: number, bus = consumer) => {
  const positions: number[] = [];
  let last = 0;
  const ending = new AbortController();
  const wants = (type: string): boolean => type === WANTED;
  const options = { store: silent, bus, partition, after: 0, maxEvents: 1_000, pollMs, signal: ending.signal, wants };
  const done = consumeLedger(options, async (batch) => {
    positions.push(...batch.events.map(({ position }) => position));
    last = batch.last;
  });
  done.catch(() => undefined);
  const stop = async (): Promise<void> => {
    ending.abort();
    await done;
  };
  return { positions, last: () => last, stop };
};

describe('a follower of few types, over NATS', () => {
  test('takes no ranges: it is told that there is something, and has it from the store', async () => {
    const before = { ...consumer.counters };
    const following = follow(0, 60_000);
    await append(0, ...passed(3), wanted());
    await eventually('the first arrived', () => following.positions.length === 1);
    const began = performance.now();
    for (let round = 0; round < 30; round += 1) await append(0, ...passed(20), ...(round % 10 === 0 ? [wanted()] : []));
    await append(0, ...passed(900));
    const tookMs = performance.now() - began;
    const head = await headOf(0);
    await eventually('it came to the head', () => following.last() === head);
    await following.stop();
    expect(following.positions).toEqual(await wantedIn(0));
    // Of 32 appends: those of one moment are told together.
    expect(consumer.counters.noticesReceived - before.noticesReceived).toBeGreaterThan(3);
    expect(consumer.counters.noticesReceived - before.noticesReceived).toBeLessThan(6 + tookMs / MOMENT_MS);
    expect(consumer.counters.rangesReceived).toBe(before.rangesReceived);
    expect(consumer.counters.eventsFromStore - before.eventsFromStore).toBe(4);
    expect(consumer.counters.eventsPassedOver - before.eventsPassedOver).toBe(head - 4);
  });

  test('goes on by its poll while NATS is down, and by notices once it is back', async () => {
    const following = follow(1, 50);
    await append(1, wanted());
    await eventually('the first arrived', () => following.positions.length === 1);
    await world.nats.restart({
      signal: 'SIGKILL',
      wipe: true,
      whileDown: async () => {
        await eventually('the loss was noticed', () => !publisher.connected && !consumer.connected);
        await append(1, ...passed(20), wanted(), ...passed(5));
        await eventually('it came to the head without NATS', () => following.last() === 27);
      },
    });
    const before = consumer.counters.noticesReceived;
    await eventually('it is told again', async () => {
      await append(1, wanted(), ...passed(2));
      return consumer.counters.noticesReceived > before;
    });
    const head = await headOf(1);
    await eventually('it came to the head', () => following.last() === head);
    await following.stop();
    expect(following.positions).toEqual(await wantedIn(1));
  });

  test('finds what somebody appended who told nobody, and is not led astray by whoever tells what is not so', async () => {
    const following = follow(2, 50);
    const before = consumer.counters.messagesMalformed;
    for (let round = 0; round < 10; round += 1) {
      await silent.append(appendOf(2, [...passed(7), wanted()]));
      for (const lie of ['garbage', '{"last":9007199254740991,"types":["ScopeRegistered"]}', '{"last":-1,"types":[]}', '']) {
        publisher.connection?.publish('appended.2', lie);
      }
      publisher.connection?.publish('appended.2', JSON.stringify({ last: await headOf(2), types: ['UsageRecorded'] }));
    }
    await eventually('it came to the head', () => following.last() === 80);
    await eventually('the garbage was noticed', () => consumer.counters.messagesMalformed >= before + 30);
    await following.stop();
    expect(following.positions).toEqual(await wantedIn(2));
  });

  test('loses nothing of a publisher that is killed between its commits and its notices', async () => {
    const script = fileURLToPath(new URL('support/appender.js', import.meta.url));
    const following = follow(3, 50);
    const child = spawn(process.execPath, [script, world.database.url, world.nats.url, '3'], { stdio: ['ignore', 'inherit', 'inherit'] });
    await eventually('it appends', async () => (await headOf(3)) > 200, 30_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await append(3, wanted());
    // What the child had sent to PostgreSQL may still commit after its death.
    await eventually('it came to the head', async () => following.last() === (await headOf(3)));
    await following.stop();
    expect(following.positions).toEqual(await wantedIn(3));
  });

  test('needs no NATS at all', async () => {
    const absent = await connectBus({ url: 'nats://127.0.0.1:1', name: 'absent' });
    const following = follow(0, 20, absent);
    await append(0, wanted(), ...passed(2));
    const head = await headOf(0);
    await eventually('it came to the head', () => following.last() === head);
    await following.stop();
    await absent.close();
    expect(following.positions).toEqual(await wantedIn(0));
  });
});
