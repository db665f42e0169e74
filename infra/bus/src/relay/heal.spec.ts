import type { StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import { nextRange } from './heal.js';

/** Events of appends of these sizes; the last ones of each are the positions with a link. */
const history = (sizes: readonly number[], bytes = 10) => {
  const events: StoredEvent[] = [];
  const ends = new Set<number>();
  sizes.forEach((size, append) => {
    for (let nth = 0; nth < size; nth += 1) {
      events.push({
        partition: 0,
        position: events.length + 1,
        stream: 'usage-acme',
        revision: events.length,
        id: '00000000-0000-8000-8000-000000000000',
        type: 'UsageRecorded',
        version: 1,
        data: `"${'x'.repeat(bytes)}"`,
        meta: '{}',
        contentHash: Buffer.alloc(32),
        recordedAt: `2025-01-15T10:00:00.${String(append).padStart(6, '0')}Z`,
      });
    }
    ends.add(events.length);
  });
  const linkAt = async (_: number, position: number) => (ends.has(position) ? Buffer.alloc(32, position) : null);
  const appendEnds = async (_: number, after: number, through: number) => [...ends].filter((end) => end > after && end <= through);
  return { events, store: { linkAt, appendEnds } };
};

const lastOf = async (sizes: readonly number[], bytes?: number): Promise<number | null> => {
  const { events, store } = history(sizes, bytes);
  return (await nextRange(store, 0, events))?.last ?? null;
};

describe('a range read again from the store', () => {
  test.each([
    ['holds all appends that fit', [3, 4, 5], 10, 12],
    ['is cut where an append ended, at 500 events', [300, 150, 100], 10, 450],
    ['is cut where an append ended, at 512 KB', [2, 2, 2], 100_000, 4],
    ['is a single append when that alone is too large', [700, 3], 10, 700],
  ])('%s', async (_, sizes, bytes, last) => {
    expect(await lastOf(sizes, bytes)).toBe(last);
  });

  test('is none while no append ends in what was read', async () => {
    const { events, store } = history([20]);
    expect(await nextRange(store, 0, events.slice(0, 15))).toBeNull();
  });

  test('ends before an append of the same microsecond: nobody who receives it could tell the two apart', async () => {
    const { events, store } = history([2, 2, 3]);
    const same = events.map((event) => ({ ...event, recordedAt: '2025-01-15T10:00:00.000000Z' }));
    expect((await nextRange(store, 0, same))?.last).toBe(2);
  });
});
