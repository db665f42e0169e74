import { expect, test } from '@jest/globals';
import { type StoredEvent, StoreUnavailableError } from './port.js';
import { Subscription } from './subscription.js';

const at = (position: number) => ({ position }) as StoredEvent;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a wake-up that comes while reading is not lost', async () => {
  const abort = new AbortController();
  const pages: StoredEvent[][] = [[at(1)], [], [at(2)]];
  const got: number[] = [];
  const subscription = new Subscription(
    {
      read: async () => {
        const page = pages.shift() ?? [];
        // The event is appended just after this read missed it.
        if (page.length === 0) subscription.wake();
        return page;
      },
      warn: () => {},
    },
    { after: 0, batch: 10, pollMs: 600_000, signal: abort.signal },
    async (events) => {
      got.push(...events.map((event) => event.position));
      if (got.length === 2) abort.abort();
    },
  );
  await subscription.run();
  expect(got).toEqual([1, 2]);
});

test('a store that does not answer is asked again, and it is said', async () => {
  const abort = new AbortController();
  const warnings: unknown[] = [];
  let reads = 0;
  const subscription = new Subscription(
    {
      read: async (after) => {
        reads += 1;
        if (reads < 3) throw new StoreUnavailableError('down');
        return [at(after + 1)];
      },
      warn: (_, error) => warnings.push(error),
    },
    { after: 4, batch: 10, pollMs: 1, signal: abort.signal },
    async ([event]) => {
      expect(event?.position).toBe(5);
      abort.abort();
    },
  );
  await subscription.run();
  expect(warnings).toHaveLength(2);
});

test('what was appended here is handed over from memory where it comes next, and read where it does not', async () => {
  const abort = new AbortController();
  const got: number[] = [];
  const reads: number[] = [];
  const range = (first: number, last: number) => {
    const events = Array.from({ length: last - first + 1 }, (_, n) => at(first + n));
    return { partition: 0, first, last, link: new Uint8Array(), events };
  };
  const subscription = new Subscription(
    {
      read: async (after) => {
        reads.push(after);
        return after === 2 ? [at(3), at(4)] : [];
      },
      warn: () => {},
    },
    { after: 0, batch: 10, pollMs: 1, signal: abort.signal },
    async (events) => {
      got.push(...events.map(({ position }) => position));
      if (got.length === 5) abort.abort();
    },
  );
  subscription.offer(range(1, 2));
  // Of an append that the read below has handed over already.
  subscription.offer(range(4, 4));
  subscription.offer(range(5, 5));
  await subscription.run();
  expect([got, reads]).toEqual([[1, 2, 3, 4, 5], [2]]);
});

test('what was appended here is all that is read of the store until somebody wakes it, or the interval is over', async () => {
  const abort = new AbortController();
  const reads: number[] = [];
  const range = (position: number) => ({ partition: 0, first: position, last: position, link: new Uint8Array(), events: [at(position)] });
  const handled: (() => void)[] = [];
  const next = (): Promise<void> => new Promise((resolve) => handled.push(resolve));
  const subscription = new Subscription(
    {
      read: async (after) => {
        reads.push(after);
        return [];
      },
      warn: () => {},
    },
    { after: 0, batch: 10, pollMs: 600_000, signal: abort.signal },
    async () => handled.shift()?.(),
  );
  const running = subscription.run();
  for (const position of [1, 2, 3]) {
    const done = next();
    subscription.offer(range(position));
    await done;
    await turn();
  }
  const before = reads.filter((after) => after > 0);
  subscription.wake();
  await turn();
  abort.abort();
  await running;
  expect([before, reads.at(-1)]).toEqual([[], 3]);
});
