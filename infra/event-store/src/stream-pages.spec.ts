import { expect, test } from '@jest/globals';
import type { StoredEvent } from './port.js';
import { streamPages } from './stream-pages.js';

/** A store whose pages end early, as they do where events are large. */
const storeOf = (events: number, most: number) => ({
  readStream: async (_stream: string, from: number, limit: number) =>
    Array.from({ length: events }, (_, revision) => ({ revision }) as StoredEvent).slice(from, from + Math.min(limit, most)),
});

const revisionsOf = async (pages: AsyncIterable<readonly StoredEvent[]>): Promise<readonly number[]> => {
  const revisions: number[] = [];
  for await (const page of pages) revisions.push(...page.map(({ revision }) => revision));
  return revisions;
};

test.each([
  [0, 7],
  [1, 7],
  [7, 7],
  [20, 7],
  [1_200, 10_000],
])('%d events in pages of at most %d come once each, in order', async (events, most) => {
  const all = Array.from({ length: events }, (_, revision) => revision);
  expect(await revisionsOf(streamPages(storeOf(events, most), 's'))).toEqual(all);
  expect(await revisionsOf(streamPages(storeOf(events, most), 's', 3))).toEqual(all.slice(3));
});
