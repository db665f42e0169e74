import { expect } from '@jest/globals';
import type { EventStore } from '../../port.js';
import { append, events, outcomesOf, readAll, upTo } from '../events.js';
import type { Case, CaseContext } from '../store-under-test.js';

/** 64 callers on 8 streams of one partition; answers which id was told to be at which position. */
const callAtOnce = async ({ partition, stream }: CaseContext, stores: readonly EventStore[], rounds: number) => {
  const told = new Map<string, number>();
  await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      const store = stores[caller % stores.length] as EventStore;
      for (let round = 0; round < rounds; round += 1) {
        const unit = events(1 + ((caller + round) % 3));
        const result = await store.append({ partition, stream: stream(`${caller % 8}`), events: unit, expectedRevision: 'any' });
        outcomesOf(result).forEach((outcome, index) => {
          told.set(unit[index]?.id ?? '', outcome.position);
        });
      }
    }),
  );
  return told;
};

const expectExact = async ({ store, partition }: CaseContext, told: ReadonlyMap<string, number>) => {
  const stored = await readAll(store, partition);
  expect(stored.map((each) => each.position)).toEqual(upTo(told.size));
  expect(new Map(stored.map((each) => [each.id, each.position]))).toEqual(told);
  const next = new Map<string, number>();
  for (const each of stored) {
    expect(each.revision).toBe(next.get(each.stream) ?? 0);
    next.set(each.stream, each.revision + 1);
  }
  expect(await store.revisions([...next.keys()])).toEqual([...next.values()].map((revision) => revision - 1));
  expect(await store.verify(partition)).toBeNull();
};

export const concurrency: readonly Case[] = [
  {
    title: '64 callers at once: dense positions, gap-free revisions, every answer true',
    run: async (context) => expectExact(context, await callAtOnce(context, [context.store], 12)),
  },
  {
    title: '64 callers over two instances on one partition: the same',
    run: async (context) => {
      const other = await context.subject.open();
      try {
        await expectExact(context, await callAtOnce(context, [context.store, other], 12));
      } finally {
        await other.close();
      }
    },
  },
  {
    title: 'partitions number their events independently',
    run: async ({ store, partition, stream }) => {
      const other = store.partitions - 1;
      const results = await Promise.all(
        [partition, other].map(async (each) => {
          const before = (await store.heads()).find((head) => head.partition === each)?.position ?? 0;
          const outcomes = await append(store, { partition: each, stream: stream(`p${each}`), events: events(3) });
          return outcomes.map((outcome) => outcome.position - before);
        }),
      );
      expect(results).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]);
    },
  },
];
