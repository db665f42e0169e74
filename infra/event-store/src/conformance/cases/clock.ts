import { expect } from '@jest/globals';
import { append, events, readAll } from '../events.js';
import type { Case } from '../store-under-test.js';

const HOUR_MS = 3_600_000;

export const clock: readonly Case[] = [
  {
    title: 'recordedAt is the store’s clock, in microseconds, one per append',
    run: async ({ store, partition, stream }) => {
      const before = await store.clock();
      await append(store, { partition, stream: stream(), events: events(3) });
      const after = await store.clock();
      const stored = await readAll(store, partition);
      const [recordedAt = ''] = stored.map((each) => each.recordedAt);
      expect(recordedAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/);
      expect(Date.parse(recordedAt)).toBeGreaterThanOrEqual(Math.floor(before));
      expect(Date.parse(recordedAt)).toBeLessThanOrEqual(after);
      expect(stored.every((each) => each.recordedAt === recordedAt)).toBe(true);
      expect((await store.heads()).find((each) => each.partition === partition)?.recordedAt).toBe(recordedAt);
    },
  },
  {
    title: 'what is appended after the settled head was read is after it, and recorded no earlier',
    run: async ({ store, partition, stream }) => {
      const racing = Array.from({ length: 20 }, () => append(store, { partition, stream: stream(), events: events(1) }));
      const before = await store.clock();
      const head = await store.settledHead(partition);
      await Promise.all(racing);
      const stored = await readAll(store, partition);
      expect(head).toBeLessThanOrEqual(stored.length);
      for (const { position, recordedAt } of stored)
        if (position > head) expect(Date.parse(recordedAt)).toBeGreaterThanOrEqual(Math.floor(before));
      expect(await store.settledHead(partition)).toBe(stored.length);
    },
  },
  {
    title: 'recordedAt never decreases, even when the clock goes back, and follows it when it is ahead again',
    run: async ({ subject, store, partition, stream }) => {
      const appendAt = async (offsetMs: number) => {
        await subject.shiftClock(offsetMs);
        await append(store, { partition, stream: stream(), events: events(1) });
      };
      try {
        for (const offset of [0, HOUR_MS, -HOUR_MS, -2 * HOUR_MS, 2 * HOUR_MS]) await appendAt(offset);
        expect(Math.abs((await store.clock()) - Date.now() - 2 * HOUR_MS)).toBeLessThan(HOUR_MS / 2);
      } finally {
        await subject.shiftClock(0);
      }
      const times = (await readAll(store, partition)).map((each) => each.recordedAt);
      expect([...times].sort()).toEqual(times);
      expect(times[2]).toBe(times[1]);
      expect(times[3]).toBe(times[1]);
      expect(times[4] ?? '').not.toBe(times[3]);
      expect(await store.verify(partition)).toBeNull();
    },
  },
];
