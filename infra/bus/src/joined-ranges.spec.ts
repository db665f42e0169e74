import { MAX_RANGE_EVENTS } from '@bursar/contracts/bus';
import type { AppendedRange, StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fitsInMessage, joined, messageBytes } from './joined-ranges.js';

type Append = Readonly<{ partition: number; events: number; bytes: number; skips: number; isSameInstant: boolean }>;

/** Appends as one process makes them: of others' between two of its own it has no range. */
const rangesOf = (appends: readonly Append[]): readonly AppendedRange[] => {
  const heads = new Map<number, Readonly<{ position: number; instant: number }>>();
  return appends.map(({ partition, events: count, bytes, skips, isSameInstant }) => {
    const head = heads.get(partition) ?? { position: 0, instant: 0 };
    const first = head.position + skips + 1;
    const instant = head.instant + (isSameInstant ? 0 : 1);
    const last = first + count - 1;
    heads.set(partition, { position: last, instant });
    const events = Array.from({ length: count }, (_, nth) => eventAt(partition, first + nth, instant, bytes));
    return { partition, first, last, link: Buffer.from([partition, last & 255]), events };
  });
};

const eventAt = (partition: number, position: number, instant: number, bytes: number): StoredEvent => ({
  partition,
  position,
  stream: `holds-${partition}`,
  revision: position,
  id: '00000000-0000-8000-8000-000000000000',
  type: 'HoldsChanged',
  version: 3,
  data: `"${'x'.repeat(bytes)}"`,
  meta: '{}',
  contentHash: Buffer.alloc(32),
  recordedAt: `2025-01-15T10:00:00.${String(instant).padStart(6, '0')}Z`,
});

const appends = fc.array(
  fc.record({
    partition: fc.nat(2),
    events: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.integer({ min: 200, max: 600 })),
    bytes: fc.constantFrom(10, 2_000, 100_000),
    skips: fc.constantFrom(0, 0, 0, 0, 2),
    isSameInstant: fc.boolean(),
  }),
  { maxLength: 12 },
);

describe('ranges that go out together', () => {
  test('say what each said, in its order, and no more than a message holds', () => {
    fc.assert(
      fc.property(appends, (made) => {
        const ranges = rangesOf(made);
        const messages = joined(ranges);
        for (const partition of [0, 1, 2]) {
          const of = (all: readonly AppendedRange[]) =>
            all.filter((range) => range.partition === partition).flatMap(({ events }) => events);
          expect(of(messages)).toEqual(of(ranges));
        }
        for (const { partition, first, last, link, events } of messages) {
          const parts = ranges.filter((range) => range.partition === partition && range.first >= first && range.last <= last);
          expect(events).toHaveLength(last - first + 1);
          expect(link).toEqual(parts.at(-1)?.link);
          if (parts.length > 1) expect(fitsInMessage(events.length, messageBytes(events))).toBe(true);
          expect(new Set(parts.map((part) => part.events[0]?.recordedAt)).size).toBe(parts.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  const small = { partition: 0, events: 1, bytes: 10, skips: 0, isSameInstant: false };

  test('are one where nothing is between them, also with those of other partitions in between', () => {
    const ranges = rangesOf([small, { ...small, partition: 1 }, small, small]);
    expect(joined(ranges).map(({ partition, first, last }) => [partition, first, last])).toEqual([
      [0, 1, 3],
      [1, 1, 1],
    ]);
  });

  test.each([
    ['what somebody else appended is between them', [small, { ...small, skips: 1 }]],
    ['they were recorded in the same microsecond', [small, { ...small, isSameInstant: true }]],
    ['they are more than a message holds', [small, { ...small, events: MAX_RANGE_EVENTS }]],
  ])('are as many as they were where %s', (_, made) => {
    const ranges = rangesOf(made);
    expect(joined(ranges)).toEqual(ranges);
  });
});
