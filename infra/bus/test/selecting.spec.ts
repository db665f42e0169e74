import { randomUUID } from 'node:crypto';
import { EVENT_DEFINITIONS, UnknownEventError } from '@bursar/contracts';
import type { AppendedRange, EventToAppend, StoredEvent } from '@bursar/event-store';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { noticeOf } from '../src/append-notice.js';
import { type Bus, connectBus } from '../src/bus.js';
import { consumeLedger } from '../src/ledger/consume.js';
import type { ConsumeOptions } from '../src/ledger/options.js';
import { appendOf, eventually, usage } from './support/events.js';
import { MemoryEventStore } from './support/memory-store.js';

// No server listens there: notices are put into the hub by hand, in the orders a broker may deliver them in.
const bus: Bus = await connectBus({ url: 'nats://127.0.0.1:1', name: 'test' });
afterAll(() => bus.close());

const PARTITION = 3;
const WANTED = 'ScopeRegistered';
const wants = (type: string): boolean => type === WANTED;

let n = 0;
/** Of a type that is wanted, or not; nothing is asked of its data here. */
const of = (type: string): EventToAppend => {
  n += 1;
  return { ...usage(n), type };
};
const passed = (count: number): readonly EventToAppend[] => Array.from({ length: count }, () => of('UsageRecorded'));

const append = async (store: MemoryEventStore, events: readonly EventToAppend[]): Promise<void> => {
  await store.append(appendOf(PARTITION, events));
};

/** As it comes from the bus. */
const tell = (store: MemoryEventStore, notice: unknown): void =>
  bus.hubOf(store).receiveNotice(PARTITION, { data: Buffer.from(typeof notice === 'string' ? notice : JSON.stringify(notice)) });

type Following = Readonly<{ positions: readonly number[]; lasts: readonly number[]; counts: readonly number[]; stop: () => Promise<void> }>;

/** A consumer of the wanted type that notes what it gets. */
const follow = (store: MemoryEventStore, options: Partial<ConsumeOptions> = {}): Following => {
  const [positions, lasts, counts]: [number[], number[], number[]] = [[], [], []];
  const ending = new AbortController();
  const own = { store, bus, partition: PARTITION, after: 0, maxEvents: 1_000, pollMs: 60_000, signal: ending.signal, wants, ...options };
  const done = consumeLedger(own, async ({ events, last }) => {
    positions.push(...events.map(({ position }) => position));
    lasts.push(last);
    counts.push(events.length);
  });
  done.catch(() => undefined);
  const stop = async (): Promise<void> => {
    ending.abort();
    await done;
  };
  return { positions, lasts, counts, stop };
};

const rangesOf = (store: MemoryEventStore): readonly AppendedRange[] => {
  const ranges: AppendedRange[] = [];
  store.onAppended((range) => ranges.push(range));
  return ranges;
};
const isWanted = ({ type }: StoredEvent): boolean => wants(type);
const ascending = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => a - b);

/** A notice of one of the latest appends, or one that somebody made up. */
const fate = fc.record({
  back: fc.oneof(fc.constant(0), fc.nat(4)),
  lie: fc.option(fc.constantFrom('types', 'further', 'garbage', 'zero'), { freq: 2 }),
  yields: fc.nat(3),
});
const lies = {
  types: (notice: { last: number }) => ({ ...notice, types: ['UsageRecorded'] }),
  further: (notice: { last: number }) => ({ last: notice.last + 1_000_000, types: [WANTED] }),
  garbage: () => 'garbage',
  zero: () => ({ last: 0, types: [WANTED] }),
} as const;

describe('a follower of few types', () => {
  test('gets every event of them once, in order, and passes over the rest, whatever notices come, fail to come or lie', async () => {
    const appends = fc.array(
      fc.record({ wanted: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), fate: fc.array(fate, { maxLength: 3 }) }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(appends, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9 }), async (log, maxEvents, span) => {
        const store = new MemoryEventStore();
        store.span = span;
        const ranges = rangesOf(store);
        const following = follow(store, { maxEvents });
        for (const each of log) {
          await append(
            store,
            each.wanted.map((isOne) => of(isOne ? WANTED : 'UsageRecorded')),
          );
          for (const { back, lie, yields } of each.fate) {
            const range = ranges.at(-1 - (back % ranges.length));
            if (range !== undefined) tell(store, lie === null ? noticeOf(range) : lies[lie](noticeOf(range)));
            for (let turn = 0; turn < yields; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          }
        }
        // In the end somebody says where the head is, be it only a poll.
        const all = ranges.flatMap(({ events }) => events);
        tell(store, { last: all.length, types: [WANTED] });
        await eventually('it came to the head', () => following.lasts.at(-1) === all.length);
        await following.stop();
        expect(following.positions).toEqual(all.filter(isWanted).map(({ position }) => position));
        expect(following.lasts).toEqual(ascending([...new Set(following.lasts)]));
        expect(Math.max(...following.counts)).toBeLessThanOrEqual(maxEvents);
      }),
      { numRuns: 200 },
    );
  });

  test('looks once for many appends that are of no use to it, and at once for one that is', async () => {
    const store = new MemoryEventStore();
    const ranges = rangesOf(store);
    const following = follow(store);
    await eventually('it looked at the empty store', () => store.selections === 1);
    for (let count = 0; count < 100; count += 1) await append(store, passed(10));
    for (const range of ranges) tell(store, noticeOf(range));
    await eventually('it passed over them', () => following.lasts.at(-1) === 1_000);
    // That of the first notice may have begun before the others came.
    expect(store.selections).toBeLessThanOrEqual(3);
    const before = bus.counters.eventsPassedOver;
    await append(store, [...passed(2), of(WANTED)]);
    const [last] = ranges.slice(-1);
    if (last !== undefined) tell(store, noticeOf(last));
    await eventually('it has it', () => following.positions.length === 1);
    await following.stop();
    expect(following.positions).toEqual([1_003]);
    expect(bus.counters.eventsPassedOver - before).toBe(2);
    expect(store.reads).toBe(0);
  });

  test('what the same process appends needs no bus to be noticed', async () => {
    const store = new MemoryEventStore();
    store.onAppended((range) => bus.publishRange(range));
    const following = follow(store);
    await eventually('it looked at the empty store', () => store.selections === 1);
    await append(store, [of(WANTED)]);
    await eventually('it has it', () => following.positions.length === 1);
    await following.stop();
  });

  test('what no notice told of is found by the poll of the heads', async () => {
    const store = new MemoryEventStore();
    const following = follow(store, { pollMs: 5 });
    await eventually('it looked at the empty store', () => store.selections > 0);
    await append(store, [of(WANTED), ...passed(3)]);
    await eventually('it has it', () => following.lasts.at(-1) === 4);
    await following.stop();
    expect(following.positions).toEqual([1]);
  });

  test('who is asked to look for somebody looks, also where nothing was told', async () => {
    const store = new MemoryEventStore();
    const following = follow(store);
    await eventually('it looked at the empty store', () => store.selections === 1);
    await append(store, passed(3));
    bus.hubOf(store).look(PARTITION);
    await eventually('it passed over them', () => following.lasts.at(-1) === 3);
    await following.stop();
  });

  test('a notice of a million positions that are not there costs one look, and the next is heard', async () => {
    const store = new MemoryEventStore();
    const following = follow(store);
    await eventually('it looked at the empty store', () => store.selections === 1);
    tell(store, { last: 1_000_000, types: [WANTED] });
    await eventually('it looked', () => store.selections === 2);
    await append(store, [of(WANTED)]);
    tell(store, { last: 1, types: [WANTED] });
    await eventually('it has it', () => following.positions.length === 1);
    await following.stop();
    expect(store.selections).toBe(3);
  });

  test.each([WANTED, 'UsageRecorded'])('what is told while it looks is looked for again: %s', async (type) => {
    const store = new MemoryEventStore();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.delayed = promise;
    const following = follow(store);
    await eventually('it looks at the empty store', () => store.selections === 1);
    await append(store, [of(type)]);
    tell(store, { last: 1, types: [type] });
    resolve();
    await eventually('it came to the head', () => following.lasts.at(-1) === 1);
    await following.stop();
  });

  test('catches up over any distance without being told that there is more', async () => {
    const store = new MemoryEventStore();
    store.span = 70;
    for (let count = 0; count < 60; count += 1) await append(store, [...passed(100), of(WANTED)]);
    const following = follow(store, { after: 101, gatherMs: 60_000 });
    await eventually('it came to the head', () => following.lasts.at(-1) === 6_060);
    await following.stop();
    expect(following.positions).toEqual(Array.from({ length: 59 }, (_, index) => (index + 2) * 101));
  });

  test('looks that somebody waits for are as far apart as it gathers, the first of them at once', async () => {
    const store = new MemoryEventStore();
    const following = follow(store, { gatherMs: 60_000 });
    await eventually('it looked at the empty store', () => store.selections === 1);
    await append(store, [of(WANTED)]);
    // Longer than the test: only the end of the consumer ends the wait.
    tell(store, { last: 1, types: [WANTED] });
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await following.stop();
    expect([store.selections, following.positions]).toEqual([1, []]);
  });

  test('a store that fails for a while is asked until it answers', async () => {
    const store = new MemoryEventStore();
    await append(store, [of(WANTED), ...passed(3)]);
    store.failure = new Error('the store is restarting');
    const before = bus.counters.storeReadFailures;
    const following = follow(store);
    await eventually('it tried more than once', () => bus.counters.storeReadFailures >= before + 2);
    store.failure = null;
    await eventually('it came to the head', () => following.lasts.at(-1) === 4);
    await following.stop();
    expect(following.positions).toEqual([1]);
  });

  test.each([
    ['of a type', { type: 'OfTomorrow' }],
    ['of a newer version of a type it passes over', { version: (EVENT_DEFINITIONS.get('UsageRecorded')?.version ?? 0) + 1 }],
  ])('F46: an event %s that this release does not know halts it', async (_, unknown) => {
    const store = new MemoryEventStore();
    await append(store, [...passed(1), { ...of('UsageRecorded'), id: randomUUID(), ...unknown }]);
    const options = { store, bus, partition: PARTITION, after: 0, maxEvents: 10, pollMs: 5, signal: new AbortController().signal, wants };
    await expect(consumeLedger(options, async () => undefined)).rejects.toBeInstanceOf(UnknownEventError);
  });

  test('F15: one that hangs in its handler is revived, and when that does not help the process is given up', async () => {
    const stuck: string[] = [];
    const own = await connectBus({ name: 'stuck', onGivenUp: () => stuck.push('given up') });
    const store = new MemoryEventStore();
    await append(store, passed(3));
    const ending = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = { reviveMs: 1_000, giveUpMs: 3_000 };
    const options = { store, bus: own, partition: PARTITION, after: 0, maxEvents: 10, pollMs: 20, signal: ending.signal, patience, wants };
    const done = consumeLedger(options, () => promise);
    await eventually('it is given up', () => stuck.length > 0, 30_000);
    expect(own.counters.consumersRevived).toBe(1);
    ending.abort();
    resolve();
    await done;
    await own.close();
  });
});
