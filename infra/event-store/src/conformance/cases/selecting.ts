import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { EventStore, EventToAppend, PassedOver, StoredEvent } from '../../port.js';
import { append, event, readAll } from '../events.js';
import type { Case } from '../store-under-test.js';

const of = (type: string, version = 1): EventToAppend => ({ ...event(), type, version });
const many = (type: string, count: number): readonly EventToAppend[] => Array.from({ length: count }, () => of(type));
const large = (type: string, size: number): EventToAppend => ({ ...of(type), data: `"${'x'.repeat(size)}"` });
const passing = (...types: readonly string[]): PassedOver => new Map(types.map((type) => [type, 1]));
const positionsOf = (events: readonly StoredEvent[]): readonly number[] => events.map(({ position }) => position);

/** All that is not passed over, look by look, with the places where the looks ended. */
const selectAll = async (store: EventStore, partition: number, passedOver: PassedOver, limit: number, from = 0) => {
  const events: StoredEvent[] = [];
  const ends: number[] = [];
  for (let after = from; ; ) {
    const look = await store.selectPartition(partition, after, passedOver, limit);
    expect(look.events.length).toBeLessThanOrEqual(limit);
    expect(look.events.every(({ position }) => position > after && position <= look.through)).toBe(true);
    events.push(...look.events);
    if (look.through >= look.head) return { events, ends, head: look.head };
    expect(look.through).toBeGreaterThan(after);
    ends.push(look.through);
    after = look.through;
  }
};

const TYPES = ['Common', 'Tested', 'Rare', 'Empty'] as const;
const draft = fc.record({ type: fc.constantFrom(...TYPES, 'Common', 'Common'), version: fc.integer({ min: 1, max: 3 }) });
const passed = fc.uniqueArray(fc.tuple(fc.constantFrom(...TYPES), fc.integer({ min: 1, max: 3 })), { selector: ([type]) => type });

export const selecting: readonly Case[] = [
  {
    title: 'what is selected is what a full read has, without the types and versions passed over',
    run: async ({ store, partition, stream }) => {
      const appends = fc.array(fc.array(draft, { minLength: 1, maxLength: 8 }), { maxLength: 6 });
      const property = fc.asyncProperty(appends, passed, fc.integer({ min: 1, max: 9 }), fc.nat(12), async (log, pairs, limit, back) => {
        const { head: before } = await store.selectPartition(partition, 0, passing(), 1);
        for (const drafts of log) {
          await append(store, { partition, stream: stream(), events: drafts.map(({ type, version }) => of(type, version)) });
        }
        const passedOver: PassedOver = new Map(pairs);
        const after = Math.max(0, before - back);
        const all = await store.readPartition(partition, after, 500);
        const { events, head } = await selectAll(store, partition, passedOver, limit, after);
        expect(events).toEqual(all.filter(({ type, version }) => version > (passedOver.get(type) ?? Number.NEGATIVE_INFINITY)));
        expect(head).toBe(all.at(-1)?.position ?? after);
      });
      await fc.assert(property, { numRuns: 60 });
    },
  },
  {
    title: 'where all is passed over, looks go to the head, however far it is',
    run: async ({ store, partition, stream }) => {
      for (let n = 0; n < 24; n += 1) await append(store, { partition, stream: stream('a'), events: many('Common', 500) });
      await append(store, { partition, stream: stream('b'), events: [of('Rare')] });
      await append(store, { partition, stream: stream('a'), events: many('Common', 7) });
      const { events, head } = await selectAll(store, partition, passing('Common'), 100);
      expect(positionsOf(events)).toEqual([12_001]);
      expect(head).toBe(12_008);
      const rest = await store.selectPartition(partition, 12_001, passing('Common'), 100);
      expect(rest).toEqual({ events: [], through: 12_008, head: 12_008 });
    },
  },
  {
    title: 'at the head, beyond it, and in an empty partition nothing is selected, and the place stays',
    run: async ({ store, partition, stream }) => {
      expect(await store.selectPartition(partition, 0, passing('Common'), 10)).toEqual({ events: [], through: 0, head: 0 });
      await append(store, { partition, stream: stream(), events: many('Common', 3) });
      expect(await store.selectPartition(partition, 3, passing(), 10)).toEqual({ events: [], through: 3, head: 3 });
      expect(await store.selectPartition(partition, 9, passing('Common'), 10)).toEqual({ events: [], through: 9, head: 3 });
    },
  },
  {
    title: 'a page of large selected events ends early, but never before its first, and large events passed over end none',
    run: async ({ store, partition, stream }) => {
      const sizes = [3_000_000, 3_000_000, 6_000_000, 10, 10];
      const events = sizes.flatMap((size) => [large('Common', size), large('Rare', size)]);
      for (const each of events) await append(store, { partition, stream: stream(), events: [each] });
      const { events: found, ends } = await selectAll(store, partition, passing('Common'), 500);
      expect(positionsOf(found)).toEqual([2, 4, 6, 8, 10]);
      expect(ends).toEqual([2, 4, 6]);
    },
  },
  {
    title: 'beside writers nothing is passed over but what was asked for',
    run: async ({ store, partition, stream }) => {
      let writing = true;
      const writers = Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          for (let round = 0; round < 25; round += 1) {
            const events = [...many('Common', 1 + (round % 4)), ...(round % 3 === 0 ? [of('Rare')] : [])];
            await append(store, { partition, stream: stream(`${index}`), events });
          }
        }),
      ).finally(() => {
        writing = false;
      });
      const seen: StoredEvent[] = [];
      let after = 0;
      let looks = 0;
      for (let isLast = false; !isLast; looks += 1) {
        isLast = !writing;
        const look = await store.selectPartition(partition, after, passing('Common'), 1_000);
        seen.push(...look.events);
        after = look.through;
      }
      await writers;
      expect(looks).toBeGreaterThan(3);
      expect(seen).toEqual((await readAll(store, partition)).filter(({ type }) => type === 'Rare'));
      expect(seen).toHaveLength(8 * 9);
    },
  },
];
