import { Slots } from '@bursar/platform';
import { describe, expect, test } from '@jest/globals';
import { Committer } from './committer.js';
import { Load, Pace } from './pace.js';

/** Counts what is folded; a write ends when it is told to. */
const setUp = (pauseMs: number, mostPending = 1_000, load = new Load(), slots = new Slots(1)) => {
  let pending = 0;
  let isNews = false;
  const written: number[] = [];
  const sent: number[] = [];
  const open: (() => void)[] = [];
  const failures: unknown[] = [];
  let failWith: Error | null = null;
  const committer = new Committer<number>(
    {
      pending: () => pending,
      isNews: () => isNews,
      take: () => {
        const taken = pending;
        pending = 0;
        isNews = false;
        return taken;
      },
      write: async (batch) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        open.push(resolve);
        await promise;
        if (failWith !== null) throw failWith;
        written.push(batch);
      },
      after: async (batch) => {
        sent.push(batch);
      },
    },
    new Pace(pauseMs, load),
    slots,
    mostPending,
    (error) => failures.push(error),
  );
  const fold = (events: number, { news = false } = {}) =>
    committer.around(async () => {
      pending += events;
      isNews ||= news;
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const finish = async () => {
    open.shift()?.();
    await turn();
  };
  return { committer, fold, finish, written, sent, failures, open, fail: (error: Error) => (failWith = error) };
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

  test('at load what others wait for is committed as soon as the commit before it has ended, with all that waited', async () => {
    let now = 0;
    const load = new Load(() => now);
    const { fold, finish, written, open, committer } = setUp(60_000, 1_000, load);
    load.count(10_000);
    await fold(1);
    await finish();
    await fold(2);
    expect(open).toHaveLength(0);
    now = 20;
    await fold(3, { news: true });
    expect(open).toHaveLength(1);
    await finish();
    expect(written).toEqual([1, 5]);
    await committer.stop();
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

describe('committers that share one slot', () => {
  test('write one after the other, and take what was folded meanwhile when it is their turn', async () => {
    const slots = new Slots(1);
    const [one, other] = [setUp(0, 1_000, new Load(), slots), setUp(0, 1_000, new Load(), slots)];
    await one.fold(1);
    await other.fold(2);
    await other.fold(3);
    expect([one.open.length, other.open.length]).toEqual([1, 0]);
    await one.finish();
    expect(other.open).toHaveLength(1);
    await other.finish();
    expect([one.written, one.sent, other.written]).toEqual([[1], [1], [5]]);
  });

  test('a slot that comes free in the middle of a step is used when the step has ended, before the next begins', async () => {
    const slots = new Slots(1);
    const [one, other] = [setUp(0, 1_000, new Load(), slots), setUp(0, 1_000, new Load(), slots)];
    await one.fold(1);
    await other.fold(2);
    const { promise, resolve } = Promise.withResolvers<void>();
    const step = other.committer.around(() => promise);
    await one.finish();
    expect(other.open).toHaveLength(0);
    resolve();
    await step;
    await other.fold(3);
    await other.finish();
    await other.finish();
    expect(other.written).toEqual([2, 3]);
  });

  test('a flush in the middle of a step waits for the slot, not for the step', async () => {
    const slots = new Slots(1);
    const [one, other] = [setUp(0, 1_000, new Load(), slots), setUp(0, 1_000, new Load(), slots)];
    await one.fold(1);
    await other.fold(2);
    const step = other.committer.around(() => other.committer.flush());
    await one.finish();
    await other.finish();
    await step;
    expect(other.written).toEqual([2]);
  });

  test('who is stopped while it waits writes nothing and keeps nobody waiting', async () => {
    const slots = new Slots(1);
    const [one, other, third] = [1, 2, 3].map(() => setUp(0, 1_000, new Load(), slots));
    if (one === undefined || other === undefined || third === undefined) throw new Error('there are three');
    await one.fold(1);
    await other.fold(2);
    await third.fold(3);
    const stopped = other.committer.stop();
    await one.finish();
    await stopped;
    await third.finish();
    expect([other.written, third.written]).toEqual([[], [3]]);
  });

  test('who is stopped in the middle of a step does not wait for its end', async () => {
    const slots = new Slots(1);
    const [one, other] = [setUp(0, 1_000, new Load(), slots), setUp(0, 1_000, new Load(), slots)];
    await one.fold(1);
    await other.fold(2);
    const { promise, resolve } = Promise.withResolvers<void>();
    const step = other.committer.around(() => promise).catch(() => 'stopped');
    await one.finish();
    await other.committer.stop();
    resolve();
    expect(await step).toBe('stopped');
    expect(other.written).toEqual([]);
  });
});

describe('the pace of commits', () => {
  test.each([
    { perSecond: 100, waits: 0 },
    { perSecond: 300, waits: 0 },
    { perSecond: 1_640, waits: 37 },
    { perSecond: 20_000, waits: 75 },
  ])('at $perSecond events per second over all partitions the next commit starts $waits ms after the last', ({ perSecond, waits }) => {
    let now = 0;
    const load = new Load(() => now);
    const pace = new Pace(75, load);
    for (; now < 1_000; now += 50) load.count(perSecond / 20);
    pace.committing();
    expect(Math.max(0, Math.floor(pace.waitMs(false)))).toBe(waits);
    expect(Math.max(0, Math.floor(pace.waitMs(true)))).toBe(Math.min(waits, 10));
  });

  test('many small steps are load: each costs the database a commit', () => {
    let now = 0;
    const load = new Load(() => now);
    const pace = new Pace(75, load);
    for (; now < 1_000; now += 5) load.count(1);
    pace.committing();
    expect(pace.waitMs(false)).toBeGreaterThan(30);
  });

  test('a burst is forgotten half a second after it', () => {
    let now = 0;
    const load = new Load(() => now);
    load.count(10_000);
    expect(load.perSecond).toBeGreaterThan(10_000);
    now = 510;
    expect(load.perSecond).toBe(0);
  });
});
