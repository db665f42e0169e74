import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AppendedRange, EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { type Bus, connectBus } from '../src/bus.js';
import { collect } from './support/collect.js';
import { appendOf, eventually, usages } from './support/events.js';
import { World } from './support/world.js';

let world: World;
let store: EventStore;
/** Of two processes: one appends and publishes, the other consumes. */
let publisher: Bus;
let consumer: Bus;
let appended = 0;

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  publisher = await world.bus('publisher');
  consumer = await world.bus('consumer');
  store.onAppended((range) => publisher.publishRange(range));
});

afterAll(() => world?.end());

const append = async (partition: number, count: number): Promise<void> => {
  await store.append(appendOf(partition, usages(appended, count)));
  appended += count;
};

const everything = async (partition: number) => store.readPartition(partition, 0, 100_000);
const headOf = async (partition: number): Promise<number> => (await store.heads())[partition]?.position ?? 0;

describe('the ledger over NATS', () => {
  test('arrives by the bus, in order, as stored, while it runs', async () => {
    const collector = collect({ store, bus: consumer, partition: 0, pollMs: 60_000 });
    await append(0, 10);
    await eventually('the first arrived', () => collector.events.length === 10);
    const before = { ...consumer.counters };
    for (let n = 0; n < 40; n += 1) await append(0, 1 + (n % 7));
    const head = await headOf(0);
    await eventually('all arrived', () => collector.events.length === head);
    await collector.stop();
    expect(collector.events).toEqual(await everything(0));
    expect(consumer.counters.eventsFromBus - before.eventsFromBus).toBe(head - 10);
    expect(consumer.counters.storeReads).toBe(before.storeReads);
    await eventually('all was acknowledged', () => publisher.ackedThrough(0) === head);
  });

  test('IN-E15: goes on from the store while NATS is down, and by the bus once it is back, with its storage lost', async () => {
    const collector = collect({ store, bus: consumer, partition: 1, pollMs: 50 });
    await append(1, 5);
    await eventually('the first arrived', () => collector.events.length === 5);
    await world.nats.restart({
      signal: 'SIGKILL',
      wipe: true,
      whileDown: async () => {
        await eventually('the loss was noticed', () => !publisher.connected && !consumer.connected);
        await append(1, 20);
        await eventually('they arrived without NATS', () => collector.events.length === 25);
      },
    });
    await eventually('both are back, with streams', () => publisher.problems.length === 0 && consumer.problems.length === 0);
    const before = consumer.counters.eventsFromBus;
    await eventually('the bus carries again', async () => {
      await append(1, 3);
      return consumer.counters.eventsFromBus > before;
    });
    const head = await headOf(1);
    await eventually('all arrived', () => collector.events.length === head);
    await eventually('the stream stores again', () => publisher.ackedThrough(1) === head);
    await collector.stop();
    expect(collector.events).toEqual(await everything(1));
  });

  test('needs no NATS at all', async () => {
    const absent = await connectBus({ url: 'nats://127.0.0.1:1', name: 'absent' });
    await absent.ensureStreams();
    const collector = collect({ store, bus: absent, partition: 0, pollMs: 20 });
    const head = await headOf(0);
    await eventually('all arrived', () => collector.events.length === head);
    await append(0, 3);
    await eventually('the new ones too', () => collector.events.length === head + 3);
    await collector.stop();
    expect(absent.problems).toEqual(['not_connected']);
    await absent.close();
  });

  test('IN-E16: wrong credentials: not connected, says so, and no caller notices', async () => {
    const url = new URL(world.nats.url);
    url.password = 'wrong';
    const refused = await connectBus({ url: url.href, name: 'refused' });
    await refused.ensureStreams();
    expect(refused.connected).toBe(false);
    const [range] = await everything(0);
    if (range === undefined) throw new Error('the store is empty');
    refused.publishRange({ partition: 0, first: 1, last: 1, link: new Uint8Array(32), events: [range] });
    expect(refused.counters.rangesDropped).toBe(1);
    await refused.close();
  });

  test('an append larger than a message wakes consumers, who read it from the store', async () => {
    const collector = collect({ store, bus: consumer, partition: 2, pollMs: 60_000 });
    await append(2, 1);
    await eventually('the first arrived', () => collector.events.length === 1);
    await append(2, 800);
    await eventually('all arrived', () => collector.events.length === 801);
    await collector.stop();
    expect(collector.events).toEqual(await everything(2));
  });

  test('a publisher killed between its commits and its publishes loses nothing', async () => {
    const script = fileURLToPath(new URL('support/appender.js', import.meta.url));
    const collector = collect({ store, bus: consumer, partition: 3, pollMs: 50 });
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, [script, world.database.url, world.nats.url, '3'], { stdio: ['ignore', 'inherit', 'inherit'] });
      const before = await headOf(3);
      await eventually('it appends', async () => (await headOf(3)) > before + 200, 30_000);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    // What the child had sent to PostgreSQL may still commit after its death.
    await eventually('all arrived', async () => collector.events.length === (await headOf(3)));
    await collector.stop();
    expect(collector.events).toEqual(await everything(3));
    expect(await store.verify(3)).toBeNull();
  });

  test('goes out together where nobody waits for it, before what somebody waits for, and in order', async () => {
    const quiet = await world.store();
    // Published at one stroke: nothing is left to the time that commits take.
    const ranges: AppendedRange[] = [];
    quiet.onAppended((range) => void ranges.push(range));
    const there = await headOf(0);
    const sent = (): number => publisher.counters.rangesPublished;
    const silent = async (count: number): Promise<void> => {
      await quiet.append(appendOf(0, usages(appended, count)));
      appended += count;
    };
    const collector = collect({ store, bus: consumer, partition: 0, pollMs: 60_000 });
    await silent(5);
    for (const range of ranges.splice(0)) publisher.publishRange(range);
    await eventually('the first arrived', () => collector.events.length === there + 5);
    const [before, received] = [sent(), { ...consumer.counters }];
    for (const count of [1, 1, 1, 2, 1]) await silent(count);
    const [one, two, three, waitedFor, last] = ranges as [AppendedRange, AppendedRange, AppendedRange, AppendedRange, AppendedRange];
    for (const range of [one, two, three]) publisher.publishRange(range, false);
    expect(sent()).toBe(before);
    publisher.publishRange(waitedFor, true);
    expect(sent()).toBe(before + 1);
    publisher.publishRange(last, false);
    await eventually('all arrived', () => collector.events.length === there + 11);
    await collector.stop();
    expect(sent()).toBe(before + 2);
    expect(collector.events).toEqual(await everything(0));
    expect(consumer.counters.storeReads).toBe(received.storeReads);
  });
});

describe('IN-E12: streams are set right', () => {
  const streamsNow = async () => {
    const nc = publisher.connection;
    if (nc === null) throw new Error('not connected');
    return (await jetstreamManager(nc, { timeout: 10_000 })).streams;
  };
  /** Than the next look that comes by itself, 10 s after the last. */
  const SOONER_MS = 9_000;
  /** Null while it is missing: whoever sets it right may be deleting it to make it anew. */
  const configOf = async (name: string): Promise<StreamConfig | null> => {
    const found = await (await streamsNow()).info(name).catch(() => null);
    return found === null ? null : found.config;
  };
  /** Who guards the streams may be faster than we are. */
  const replaceBy = async (name: string, config: Partial<StreamConfig> & { name: string }): Promise<void> => {
    const streams = await streamsNow();
    await eventually(`${config.name} is there`, async () => {
      await streams.delete(name).catch(() => false);
      return streams.add(config).then(
        () => true,
        () => false,
      );
    });
  };

  test('when one was deleted', async () => {
    await (await streamsNow()).delete('EVENTS');
    await publisher.ensureStreams();
    await eventually('it is back', async () => JSON.stringify((await configOf('EVENTS'))?.subjects) === '["events.>"]', SOONER_MS);
  });

  test('when settings were changed', async () => {
    await (await streamsNow()).update('LEDGER', {
      subjects: ['ledger.*', 'elsewhere'],
      max_age: 300_000_000_000,
      subject_transform: { src: 'ledger.*', dest: 'x.{{wildcard(1)}}' },
    });
    await publisher.ensureStreams();
    await eventually(
      'they are as they were',
      async () => {
        const config = await configOf('LEDGER');
        return (
          JSON.stringify(config?.subjects) === '["ledger.*"]' &&
          config?.max_age === 86_400_000_000_000 &&
          config.subject_transform === undefined
        );
      },
      SOONER_MS,
    );
  });

  test('when the ledger has a retention that cannot be changed back', async () => {
    await replaceBy('LEDGER', { name: 'LEDGER', subjects: ['ledger.*'], retention: 'workqueue' });
    await publisher.ensureStreams();
    await eventually('it is as it was', async () => (await configOf('LEDGER'))?.retention === 'limits', SOONER_MS);
  });

  test('within moments, because JetStream tells of every change', async () => {
    const streams = await streamsNow();
    await streams.update('EVENTS', { max_msgs: 10 });
    await streams.delete('USAGE_REJECTED');
    const isRight = async () => (await configOf('EVENTS'))?.max_msgs === -1 && (await configOf('USAGE_REJECTED')) !== null;
    await eventually('both are right again', isRight, SOONER_MS);
  });

  test('or it says which one is not', async () => {
    await replaceBy('ALERTS', { name: 'OTHER', subjects: ['alerts.>'] });
    await eventually('it is said', async () => {
      await publisher.ensureStreams();
      return publisher.problems.length === 1 && publisher.problems[0]?.includes('ALERTS') === true;
    });
    await (await streamsNow()).delete('OTHER');
    await eventually('it is well again', () => publisher.problems.length === 0);
  });
});
