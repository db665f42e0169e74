import { randomUUID } from 'node:crypto';
import { UnknownEventError } from '@bursar/contracts';
import { type AppendedRange, GENESIS, linkOfAppend } from '@bursar/event-store';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Bus, connectBus } from '../src/bus.js';
import { consumeLedger, consumeStored } from '../src/ledger/consume.js';
import { type RangeMessage, toRangeMessage } from '../src/range-message.js';
import { collect } from './support/collect.js';
import { appendOf, eventually, usages } from './support/events.js';
import { MemoryEventStore } from './support/memory-store.js';

// No server listens there: messages are put into the hub by hand, in the orders a broker may deliver them in.
const bus: Bus = await connectBus({ url: 'nats://127.0.0.1:1', name: 'test' });
afterAll(() => bus.close());

const PARTITION = 3;

/** A message about one of the latest ranges, genuine or forged, and how long until the next. */
const fate = fc.record({
  back: fc.oneof(fc.constant(0), fc.nat(4)),
  how: fc.option(fc.nat(255), { freq: 2 }),
  yields: fc.nat(3),
});

/** Appends ranges of these sizes and answers the messages that announce them. */
const fill = async (store: MemoryEventStore, sizes: readonly number[]): Promise<readonly (AppendedRange & { message: RangeMessage })[]> => {
  const ranges: (AppendedRange & { message: RangeMessage })[] = [];
  store.onAppended((range) => ranges.push({ ...range, message: toRangeMessage(range) }));
  let n = 0;
  for (const size of sizes) {
    await store.append(appendOf(PARTITION, usages(n, size)));
    n += size;
  }
  return ranges;
};

const deliver = (store: MemoryEventStore, { headers, body }: RangeMessage): void =>
  bus.hubOf(store).receive(PARTITION, { headers, data: body });

/** A message without events that only says how far the store is. */
const announce = (store: MemoryEventStore, head: number): void =>
  deliver(store, toRangeMessage({ partition: PARTITION, first: head, last: head, link: GENESIS, events: [] }));

const positions = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** What somebody without the store could make up: another body, another link, another place, no sense at all, or a chain of his own. */
const forge = (range: AppendedRange, previous: Uint8Array, how: number): RangeMessage => {
  const events = range.events.map((event) => ({ ...event, data: event.data.replace('0.0125', '9999999') }));
  const shift = [0, 0, 1, -1, 1_000_000][how % 5] ?? 0;
  const first = Math.max(1, range.first + shift);
  // He has seen the real link, or knows how one is computed, or knows nothing.
  const link = [range.link, linkOfAppend(previous, events), Buffer.alloc(32, how)][how % 3] ?? range.link;
  const forged = toRangeMessage({ ...range, first, last: first + events.length - 1, events, link });
  return how % 7 === 0 ? { ...forged, body: Buffer.from('garbage') } : forged;
};

describe('a consumer hands over every event once, in order, as stored', () => {
  test('IN-E8: whatever the bus shuffles, repeats, loses or makes up', async () => {
    const before = { ...bus.counters };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), fate: fc.array(fate, { maxLength: 4 }) }), {
          minLength: 1,
          maxLength: 15,
        }),
        fc.integer({ min: 1, max: 20 }),
        async (appends, maxEvents) => {
          const store = new MemoryEventStore();
          const ranges: AppendedRange[] = [];
          store.onAppended((range) => ranges.push(range));
          const collector = collect({ store, bus, partition: PARTITION, maxEvents, pollMs: 60_000 });
          let n = 0;
          for (const { size, fate } of appends) {
            await store.append(appendOf(PARTITION, usages(n, size)));
            n += size;
            for (const { back, how, yields } of fate) {
              const range = ranges.at(-1 - (back % ranges.length));
              if (range !== undefined)
                deliver(
                  store,
                  how === null ? toRangeMessage(range) : forge(range, (await store.linkAt(PARTITION, range.first - 1)) ?? GENESIS, how),
                );
              for (let turn = 0; turn < yields; turn += 1) await new Promise((resolve) => setImmediate(resolve));
            }
          }
          // In the end somebody says where the head is: the poll of the store does, every few seconds.
          announce(store, n);
          await eventually('all arrived', () => collector.events.length >= n);
          await collector.stop();
          expect(collector.events).toEqual(ranges.flatMap(({ events }) => events));
        },
      ),
      { numRuns: 200 },
    );
    // Else the bus had no part in it.
    expect(bus.counters.eventsFromBus).toBeGreaterThan(before.eventsFromBus + 500);
    expect(bus.counters.rangesForged).toBeGreaterThan(before.rangesForged + 50);
  });

  test('from the bus alone when it is in order', async () => {
    const store = new MemoryEventStore();
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 60_000 });
    await eventually('it looked at the empty store', () => store.reads === 1);
    const ranges = await fill(store, [3, 1, 2]);
    for (const { message } of ranges) deliver(store, message);
    await eventually('all arrived', () => collector.events.length === 6);
    await collector.stop();
    expect(store.reads).toBe(1);
  });

  test('IN-E5, IN-E6: a forged successor of the head is not handed over, and the real one is', async () => {
    const store = new MemoryEventStore();
    const [first] = await fill(store, [2]);
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 2 });
    await eventually('the head was read', () => collector.events.length === 2);
    if (first === undefined) throw new Error('nothing was appended');
    const before = bus.counters.rangesForged;
    const events = first.events.map((each) => ({ ...each, position: each.position + 2, revision: each.revision + 2 }));
    deliver(store, forge({ ...first, first: 3, last: 4, events }, first.link, 1));
    await eventually('it was noticed', () => bus.counters.rangesForged > before);
    expect(collector.events).toHaveLength(2);
    await store.append(appendOf(PARTITION, usages(10, 2)));
    await eventually('the real ones arrived', () => collector.events.length === 4);
    await collector.stop();
    expect(collector.events.map(({ position }) => position)).toEqual(positions(4));
  });

  test.each([
    ['IN-E1: no headers, no sense', {}, 'hello'],
    ['IN-E7: position 0', { 'Bursar-First-Position': '0', 'Bursar-Last-Position': '0' }, '[]'],
    ['IN-E7: a negative position', { 'Bursar-First-Position': '-1', 'Bursar-Last-Position': '1' }, '[]'],
    ['IN-E7: 2^63', { 'Bursar-First-Position': '9223372036854775808', 'Bursar-Last-Position': '9223372036854775808' }, '[]'],
    ['IN-E7: backwards', { 'Bursar-First-Position': '5', 'Bursar-Last-Position': '4' }, '[]'],
  ])('%s is counted and ignored', async (_, fields, body) => {
    const store = new MemoryEventStore();
    const [range] = await fill(store, [1]);
    if (range === undefined) throw new Error('nothing was appended');
    const { headers } = range.message;
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
    if (Object.keys(fields).length === 0) headers.delete('Bursar-Link');
    const before = bus.counters.messagesMalformed;
    bus.hubOf(store).receive(PARTITION, { headers, data: Buffer.from(body) });
    expect(bus.counters.messagesMalformed).toBe(before + 1);
  });

  test('IN-E7: a jump of a million positions costs one look at the store', async () => {
    const store = new MemoryEventStore();
    const [range] = await fill(store, [2]);
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 60_000 });
    await eventually('the head was read', () => collector.events.length === 2);
    await eventually('it has settled', () => store.reads === 1);
    if (range === undefined) throw new Error('nothing was appended');
    deliver(store, toRangeMessage({ ...range, first: 1_000_001, last: 1_000_002 }));
    await eventually('it looked', () => store.reads === 2);
    await store.append(appendOf(PARTITION, usages(10, 1)));
    await collector.stop();
    expect(store.reads).toBe(2);
    expect(collector.events).toHaveLength(2);
  });

  test.each([
    ['many events', 12_000, 10],
    ['large events', 40, 200_000],
  ])('catches up with %s without being told that there is more', async (_, count, bytes) => {
    const store = new MemoryEventStore();
    store.pageBytes = 4 * 1024 * 1024;
    const events = usages(0, count).map((event) => ({ ...event, data: JSON.stringify('x'.repeat(bytes)) }));
    for (let at = 0; at < count; at += 500) await store.append(appendOf(PARTITION, events.slice(at, at + 500)));
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 60_000 });
    await eventually('all arrived', () => collector.events.length === count);
    await collector.stop();
    expect(collector.events.map(({ position }) => position)).toEqual(positions(count));
  });

  test('after a checkpoint nothing before it comes again', async () => {
    const store = new MemoryEventStore();
    const ranges = await fill(store, [3, 3]);
    const collector = collect({ store, bus, partition: PARTITION, after: 2 });
    for (const { message } of ranges) deliver(store, message);
    await eventually('the rest arrived', () => collector.events.length === 4);
    await collector.stop();
    expect(collector.events.map(({ position }) => position)).toEqual([3, 4, 5, 6]);
  });

  test('an append of this process is taken from memory, without the bus', async () => {
    const store = new MemoryEventStore();
    store.onAppended((range) => bus.publishRange(range));
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 60_000 });
    await eventually('it looked at the empty store', () => store.reads === 1);
    await store.append(appendOf(PARTITION, usages(0, 5)));
    await eventually('all arrived', () => collector.events.length === 5);
    await collector.stop();
    expect(store.reads).toBe(1);
  });

  test('a store that fails for a while is asked until it answers', async () => {
    const store = new MemoryEventStore();
    await fill(store, [4]);
    store.failure = new Error('the store is restarting');
    const before = bus.counters.storeReadFailures;
    const collector = collect({ store, bus, partition: PARTITION, pollMs: 5 });
    await eventually('it tried more than once', () => bus.counters.storeReadFailures >= before + 2);
    store.failure = null;
    await eventually('all arrived', () => collector.events.length === 4);
    await collector.stop();
  });

  test('a batch is never larger than asked for, and its last is its last position', async () => {
    const store = new MemoryEventStore();
    await fill(store, [7, 7, 7]);
    const ending = new AbortController();
    const batches: { count: number; last: number }[] = [];
    await consumeStored({ store, bus, partition: PARTITION, after: 0, maxEvents: 5, pollMs: 5, signal: ending.signal }, async (batch) => {
      batches.push({ count: batch.events.length, last: batch.last });
      if (batch.last === 21) ending.abort();
    });
    expect(batches.every(({ count }) => count <= 5)).toBe(true);
    expect(batches.at(-1)?.last).toBe(21);
  });

  test('what comes within the time to gather is handed over together, the first of it at once', async () => {
    const store = new MemoryEventStore();
    const ranges = await fill(store, [1, 1, 1, 1]);
    const ending = new AbortController();
    const batches: number[] = [];
    // Longer than the test: only the end of the consumer ends the wait.
    const options = { store, bus, partition: PARTITION, after: 0, maxEvents: 10, pollMs: 60_000, gatherMs: 60_000, signal: ending.signal };
    const done = consumeStored({ ...options, after: 3 }, async ({ events }) => {
      batches.push(events.length);
    });
    await eventually('the first is there', () => batches.length === 1);
    await store.append(appendOf(PARTITION, usages(4, 2)));
    for (const { message } of ranges) deliver(store, message);
    ending.abort();
    await done;
    expect(batches).toEqual([1]);
    const rest = collect({ store, bus, partition: PARTITION, after: 4, gatherMs: 1 });
    await eventually('the rest is there', () => rest.events.length === 2);
    await rest.stop();
  });

  test('types nobody asked for are passed over with their positions, undecoded; one of a newer release is not', async () => {
    const store = new MemoryEventStore();
    const [wanted] = usages(0, 1);
    if (wanted === undefined) throw new Error('no usage');
    await store.append(appendOf(PARTITION, [wanted, { ...wanted, id: randomUUID(), type: 'HoldsChanged', data: '{ not read' }]));
    const ending = new AbortController();
    const batches: { types: string[]; last: number }[] = [];
    const wants = (type: string): boolean => type === 'UsageRecorded';
    const options = { store, bus, partition: PARTITION, after: 0, maxEvents: 10, pollMs: 5, signal: ending.signal, wants };
    await consumeLedger(options, async ({ events, last }) => {
      batches.push({ types: events.map(({ type }) => type), last });
      ending.abort();
    });
    expect(batches).toEqual([{ types: ['UsageRecorded'], last: 2 }]);
    await store.append(appendOf(PARTITION, [{ ...wanted, id: randomUUID(), type: 'OfTomorrow' }]));
    const tomorrow = { ...options, after: 2, signal: new AbortController().signal };
    await expect(consumeLedger(tomorrow, async () => undefined)).rejects.toBeInstanceOf(UnknownEventError);
  });

  test('a failing handler ends the consumer with its error', async () => {
    const store = new MemoryEventStore();
    await fill(store, [1]);
    const options = { store, bus, partition: PARTITION, after: 0, maxEvents: 5, pollMs: 5, signal: new AbortController().signal };
    await expect(consumeStored(options, () => Promise.reject(new Error('cannot fold')))).rejects.toThrow('cannot fold');
  });
});
