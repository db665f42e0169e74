import { expect } from '@jest/globals';
import type { EventStore, StoredEvent } from '../../port.js';
import { append, events, upTo } from '../events.js';
import type { Case } from '../store-under-test.js';

const NEVER_POLL_MS = 600_000;

/** Follows a partition until told to stop; `until` resolves when so many events came. */
const follow = (store: EventStore, partition: number, after: number, pollMs: number) => {
  const abort = new AbortController();
  const got: StoredEvent[] = [];
  let check = () => {};
  const ended = store.subscribe({ partition, after, batch: 7, pollMs, signal: abort.signal }, async (some) => {
    got.push(...some);
    check();
  });
  return {
    got,
    until: (count: number) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (got.length >= count) resolve();
        };
        check();
      }),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
};

export const subscriptions: readonly Case[] = [
  {
    title: 'a subscription catches up after a position and goes on live, each event once and in order',
    run: async ({ store, partition, stream }) => {
      await append(store, { partition, stream: stream(), events: events(40) });
      const feed = follow(store, partition, 5, NEVER_POLL_MS);
      await feed.until(35);
      await Promise.all(Array.from({ length: 10 }, () => append(store, { partition, stream: stream(), events: events(3) })));
      await feed.until(65);
      await feed.stop();
      expect(feed.got.map((each) => each.position)).toEqual(upTo(70).slice(5));
    },
  },
  {
    title: 'what another instance appends arrives by polling, or at once by a wake-up',
    run: async ({ subject, store, partition, stream }) => {
      const other = await subject.open();
      try {
        const polled = follow(store, partition, 0, 20);
        await append(other, { partition, stream: stream(), events: events(2) });
        await polled.until(2);
        await polled.stop();
        const woken = follow(store, partition, 2, NEVER_POLL_MS);
        await append(other, { partition, stream: stream(), events: events(1) });
        store.wake(partition);
        await woken.until(1);
        await woken.stop();
        expect([...polled.got, ...woken.got].map((each) => each.position)).toEqual([1, 2, 3]);
      } finally {
        await other.close();
      }
    },
  },
  {
    title: 'a subscription ends with the error of its handler, and stops when aborted',
    run: async ({ store, partition, stream }) => {
      await append(store, { partition, stream: stream(), events: events(1) });
      const options = { partition, after: 0, batch: 10, pollMs: NEVER_POLL_MS, signal: new AbortController().signal };
      await expect(store.subscribe(options, () => Promise.reject(new Error('handler')))).rejects.toThrow('handler');
      const aborted = follow(store, partition, 1, NEVER_POLL_MS);
      await aborted.stop();
      expect(aborted.got).toEqual([]);
    },
  },
];
