import { expect } from '@jest/globals';
import { append, event, events, readAll, upTo } from '../events.js';
import type { Case } from '../store-under-test.js';

export const reading: readonly Case[] = [
  {
    title: 'a partition is read after a position, in order, at most so many',
    run: async ({ store, partition, stream }) => {
      await append(store, { partition, stream: stream('a'), events: events(5) });
      await append(store, { partition, stream: stream('b'), events: events(5) });
      expect((await store.readPartition(partition, 3, 4)).map((each) => each.position)).toEqual([4, 5, 6, 7]);
      expect((await store.readPartition(partition, 8, 100)).map((each) => each.position)).toEqual([9, 10]);
      expect(await store.readPartition(partition, 10, 100)).toEqual([]);
    },
  },
  {
    title: 'events are read at any positions of a partition, in order, those alone that contain a text where one is named',
    run: async ({ store, partition, stream }) => {
      const saying = (what: string) => ({ ...event(), data: JSON.stringify({ what }) });
      await append(store, { partition, stream: stream('a'), events: [saying('one'), saying('two'), saying('three')] });
      await append(store, { partition, stream: stream('b'), events: [saying('four "%_'), saying('five')] });
      const all = await readAll(store, partition);
      expect(await store.readAt(partition, [5, 2, 9, 2])).toEqual([all[1], all[4]]);
      expect(await store.readAt(partition, [])).toEqual([]);
      expect((await store.readAt(partition, [1, 2, 3], ['"two"', '"three"', '"five"'])).map((each) => each.position)).toEqual([2, 3]);
      expect((await store.readAt(partition, [4, 5], [JSON.stringify('four "%_')])).map((each) => each.position)).toEqual([4]);
      expect(await store.readAt(partition, [4, 5], ['"none"'])).toEqual([]);
      expect(await store.readAt(partition, [4, 5], [])).toEqual([]);
      const large = { ...event(), data: `"${'x'.repeat(3_000_000)}"` };
      await append(store, { partition, stream: stream('c'), events: [large, { ...large, id: event().id }, event()] });
      expect((await store.readAt(partition, [8, 7, 6, 5])).map((each) => each.position)).toEqual([5, 6]);
      expect((await store.readAt(partition, [8, 7])).map((each) => each.position)).toEqual([7, 8]);
    },
  },
  {
    title: 'a page of large events ends early, but never before its first event, and no event is skipped',
    run: async ({ store, partition, stream }) => {
      const large = (size: number) => ({ ...event(), data: `"${'x'.repeat(size)}"` });
      await append(store, {
        partition,
        stream: stream(),
        events: [large(3_000_000), large(3_000_000), large(6_000_000), event(), event()],
      });
      const pages: number[][] = [];
      for (let after = 0; after < 5; after = pages.at(-1)?.at(-1) ?? 5) {
        pages.push((await store.readPartition(partition, after, 500)).map((each) => each.position));
      }
      expect(pages).toEqual([[1], [2], [3], [4, 5]]);
    },
  },
  {
    title: 'a stream is read from a revision, in order, at most so many, other streams left out',
    run: async ({ store, partition, stream }) => {
      for (let round = 0; round < 4; round += 1) {
        await append(store, { partition, stream: stream('a'), events: events(2) });
        await append(store, { partition, stream: stream('b'), events: events(3) });
      }
      const read = await store.readStream(stream('a'), 3, 3);
      expect(read.map((each) => [each.revision, each.position])).toEqual([
        [3, 7],
        [4, 11],
        [5, 12],
      ]);
      expect(read.every((each) => each.stream === stream('a'))).toBe(true);
      expect(await store.readStream(stream('a'), 8, 10)).toEqual([]);
      expect(await store.revisions([stream('b'), stream('none'), stream('a'), stream('b')])).toEqual([11, -1, 7, 11]);
      expect(await store.revisions([])).toEqual([]);
    },
  },
  {
    title: 'a stream is read backwards from a revision, newest first, at most so many, pages of large events ending early',
    run: async ({ store, partition, stream }) => {
      for (let round = 0; round < 4; round += 1) {
        await append(store, { partition, stream: stream('a'), events: events(2) });
        await append(store, { partition, stream: stream('b'), events: events(3) });
      }
      const forwards = await store.readStream(stream('a'), 0, 100);
      expect(await store.readStreamBackwards(stream('a'), 7, 100)).toEqual(forwards.toReversed());
      expect((await store.readStreamBackwards(stream('a'), 5, 3)).map((each) => each.revision)).toEqual([5, 4, 3]);
      expect((await store.readStreamBackwards(stream('a'), 1, 10)).map((each) => each.revision)).toEqual([1, 0]);
      expect(await store.readStreamBackwards(stream('a'), -1, 10)).toEqual([]);
      expect(await store.readStreamBackwards(stream('none'), 5, 10)).toEqual([]);
      const large = (size: number) => ({ ...event(), data: `"${'x'.repeat(size)}"` });
      await append(store, { partition, stream: stream('c'), events: [large(6_000_000), large(3_000_000), event(), large(2_000_000)] });
      const pages: number[][] = [];
      for (let from = 3; from >= 0; from = (pages.at(-1)?.at(-1) ?? 0) - 1) {
        pages.push((await store.readStreamBackwards(stream('c'), from, 500)).map((each) => each.revision));
      }
      expect(pages).toEqual([[3, 2], [1], [0]]);
    },
  },
  {
    title: 'events of a stream carry the recordedAt of their own append, near or far apart',
    run: async ({ store, partition, stream }) => {
      for (const others of [1, 2, 60, 1, 40]) {
        await append(store, { partition, stream: stream('a'), events: events(2) });
        for (let n = 0; n < others; n += 20)
          await append(store, { partition, stream: stream('b'), events: events(Math.min(20, others - n)) });
      }
      const times = new Map((await readAll(store, partition)).map((each) => [each.position, each.recordedAt]));
      for (const [name, count] of [
        ['a', 10],
        ['b', 104],
      ] as const) {
        const read = await store.readStream(stream(name), 0, 1000);
        expect(read).toHaveLength(count);
        expect(read.map((each) => each.recordedAt)).toEqual(read.map((each) => times.get(each.position)));
      }
      const asked = [114, 1, 7, 7, 0, 60, 115, -3, 9_000];
      expect(await store.recordedTimes(partition, asked)).toEqual(asked.map((position) => times.get(position) ?? null));
      expect(await store.recordedTimes(partition, [])).toEqual([]);
      expect(new Set(times.values()).size).toBeGreaterThan(8);
    },
  },
  {
    title: 'a reader beside writers never sees a hole',
    run: async ({ store, partition, stream }) => {
      let writing = true;
      const writers = Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          for (let round = 0; round < 25; round += 1)
            await append(store, { partition, stream: stream(`${index}`), events: events(1 + (round % 4)) });
        }),
      ).finally(() => {
        writing = false;
      });
      let seen = 0;
      let looks = 0;
      do {
        const some = await store.readPartition(partition, seen, 100_000);
        expect(some.map((each) => each.position)).toEqual(some.map((_, index) => seen + index + 1));
        seen += some.length;
        looks += 1;
      } while (writing);
      await writers;
      expect(looks).toBeGreaterThan(3);
      expect((await readAll(store, partition)).map((each) => each.position)).toEqual(upTo(8 * (6 * 10 + 1)));
    },
  },
];
