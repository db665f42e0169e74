import { describe, expect, test } from '@jest/globals';
import { Committer } from './committer.js';
import { Pace } from './pace.js';

/** Counts what is folded; a write ends when it is told to. */
const setUp = (pauseMs: number, mostPending = 1_000) => {
  let pending = 0;
  const written: number[] = [];
  const open: (() => void)[] = [];
  const failures: unknown[] = [];
  let failWith: Error | null = null;
  const committer = new Committer<number>(
    {
      pending: () => pending,
      take: () => {
        const taken = pending;
        pending = 0;
        return taken;
      },
      write: async (batch) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        open.push(resolve);
        await promise;
        if (failWith !== null) throw failWith;
        written.push(batch);
      },
    },
    new Pace(pauseMs),
    mostPending,
    (error) => failures.push(error),
  );
  const fold = (events: number) =>
    committer.around(async () => {
      pending += events;
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const finish = async () => {
    open.shift()?.();
    await turn();
  };
  return { committer, fold, finish, written, failures, open, fail: (error: Error) => (failWith = error) };
};

describe('a committer', () => {
  test('commits at once at rest, one transaction at a time, and the rest together after it', async () => {
    const { fold, finish, written, open } = setUp(0);
    await fold(1);
    expect(open).toHaveLength(1);
    await fold(2);
    await fold(3);
    expect(open).toHaveLength(1);
    await finish();
    await finish();
    expect(written).toEqual([1, 5]);
  });

  test('flush means that everything folded is written', async () => {
    const { committer, fold, finish, written } = setUp(0);
    await fold(1);
    await fold(2);
    const flushed = committer.flush();
    await finish();
    await finish();
    await flushed;
    expect(written).toEqual([1, 2]);
  });

  test('folding waits while too much is not written', async () => {
    const { fold, finish, written, open } = setUp(0, 10);
    await fold(1);
    let went = false;
    const folding = fold(11).then(() => {
      went = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(went).toBe(false);
    await finish();
    expect(open).toHaveLength(1);
    await finish();
    await folding;
    expect(written).toEqual([1, 11]);
  });

  test('after a failure nothing more is written, and whoever folds hears of it', async () => {
    const { fold, finish, fail, written, failures, open } = setUp(0);
    const refused = new Error('refused');
    await fold(1);
    await fold(2);
    fail(refused);
    await finish();
    expect(failures).toEqual([refused]);
    await expect(fold(3)).rejects.toBe(refused);
    expect(open).toHaveLength(0);
    expect(written).toEqual([]);
  });
});

describe('the pace of commits', () => {
  test.each([
    { eventsPerSecond: 100, waits: 0 },
    { eventsPerSecond: 300, waits: 0 },
    { eventsPerSecond: 2_650, waits: 37 },
    { eventsPerSecond: 20_000, waits: 75 },
  ])('at $eventsPerSecond events per second the next commit starts $waits ms after the last', ({ eventsPerSecond, waits }) => {
    let now = 0;
    const pace = new Pace(75, () => now);
    for (let k = 0; k < 20; k += 1) {
      pace.committing(eventsPerSecond / 10);
      now += 100;
    }
    pace.committing(eventsPerSecond / 10);
    expect(Math.floor(pace.waitMs())).toBe(waits);
  });
});
