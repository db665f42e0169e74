import type { EventStore, StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import { refillFrom } from './refill.js';

const NOW = Date.parse('2026-01-15T00:00:00Z');
const HOUR = 3_600_000;

/** One partition with an append of `size` events in each of the last `hours` hours, the newest one now. Each event has so many bytes. */
const storeOf = (hours: number, size: number, bytes: number): EventStore => {
  const total = hours * size;
  const eventAt = (position: number): StoredEvent => ({
    partition: 0,
    position,
    stream: 'usage-acme',
    revision: position - 1,
    id: '',
    type: 'UsageRecorded',
    version: 1,
    data: 'x'.repeat(bytes),
    meta: '',
    contentHash: Buffer.alloc(32),
    recordedAt: new Date(NOW - (hours - Math.ceil(position / size)) * HOUR).toISOString().replace('Z', '000Z'),
  });
  const store = {
    heads: async () => [
      { partition: 0, position: total, link: Buffer.alloc(32), recordedAt: null },
      { partition: 1, position: 0, link: Buffer.alloc(32), recordedAt: null },
    ],
    clock: async () => NOW,
    readPartition: async (_: number, after: number, limit: number) =>
      Array.from({ length: Math.max(0, Math.min(limit, total - after)) }, (__, index) => eventAt(after + index + 1)),
    appendEnds: async (_: number, after: number, through: number) =>
      Array.from({ length: hours }, (__, index) => (index + 1) * size).filter((end) => end > after && end <= through),
  };
  return store as unknown as EventStore;
};

test.each([
  ['all that is young enough, and no event more', 24 * HOUR + 1, 1e9, 100 * 50 - 25 * 50],
  ['everything, of a stream that forgets nothing', Number.POSITIVE_INFINITY, 1e9, 0],
  ['everything, when the ledger is younger than that', 1_000 * HOUR, 1e9, 0],
  ['what there is room for, from the end of an append on', 1_000 * HOUR, 10_000 * 10, 4_000],
  ['the end of the ledger at most', 0, 1e9, 100 * 50],
])('a stream that lost everything gets back %s', async (_, ageMs, bytes, from) => {
  expect([...(await refillFrom(storeOf(100, 50, 100), { ageMs, bytes }))]).toEqual([[0, from]]);
});
