import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer } from './answer.js';
import { CountWait } from './count-wait.js';
import { DecideAtOwner, type Decision } from './decide-at-owner.js';
import type { Decisions } from './decisions.js';
import type { LedgerItem } from './ledger.js';

const HERE: Answer = { status: 200, headers: {}, body: 'from here' };
const THERE: Answer = { status: 200, headers: {}, body: 'from the new owner' };
const COUNTING = { code: 'counting', status: 503, options: { retryAfter: 1 } };
/** Waited at most; for another replica; and what is at once on a slow machine. */
const [BOUND_MS, FORWARDED_MS, AT_ONCE_MS] = [2_000, 1_000, 900];

/** An owner of whose tenant one budget is being counted, until the fold comes to that; and another who would answer if this one were not it. */
const setUp = () => {
  const [leaving, stop] = [new AbortController(), new AbortController()];
  const counts = new CountWait(1, leaving.signal);
  const decisions = { counts } as unknown as Decisions;
  const at = { isMine: true, isCounted: false, decided: 0 };
  const here = {
    partitions: 1,
    decisionsOf: () => (at.isMine ? decisions : null),
    url: () => null,
    stopping: () => stop.signal,
  };
  const owner = new DecideAtOwner(here, { urlOf: async () => 'http://other', ask: async () => THERE });
  const decide = async (): Promise<Decision> => {
    at.decided += 1;
    return at.isCounted ? { answer: HERE, isFenced: false } : 'counting';
  };
  const ask = (prefer: string | null = null, isForwarded = false): Promise<Answer> => {
    const call = { tenant: 'acme', method: 'POST', path: '/', body: () => null, prefer, audience: 'operator' } as const;
    return owner.answer({ call, minPosition: null, isForwarded, decide });
  };
  const fold = (position: number, type = 'BudgetCounted'): void => counts.folded({ type, position } as unknown as LedgerItem);
  const count = (position: number): void => {
    at.isCounted = true;
    fold(position);
  };
  return { ask, at, fold, count, leaving, stop };
};

describe('who meets a budget that is being counted', () => {
  let began = 0;
  beforeEach(() => {
    began = performance.now();
  });
  const took = (): number => performance.now() - began;

  test('waits for the fold of the count, and is decided then', async () => {
    const { ask, at, count, fold } = setUp();
    const answer = ask();
    fold(2, 'UsageRecorded');
    fold(3); // of another budget
    setTimeout(() => count(4), 100);
    expect(await answer).toEqual(HERE);
    expect(took()).toBeLessThan(100 + AT_ONCE_MS);
    // When asked, before it waits, after the count of the other, and after its own: not with whatever is folded.
    expect(at.decided).toBe(4);
  });

  test('does not miss a count that is folded while it is decided', async () => {
    const { ask, at, count } = setUp();
    const answer = ask();
    count(2);
    at.isCounted = false;
    setTimeout(() => {
      at.isCounted = true;
    }, 10);
    expect(await answer).toEqual(HERE);
    expect(took()).toBeLessThan(AT_ONCE_MS);
  });

  test.each([
    ['so long at most', null, false, BOUND_MS],
    ['less for another replica', null, true, FORWARDED_MS],
    ['as long as he prefers, if that is less', 'wait=1', false, 1_000],
    ['not at all if he would not', 'wait=0', false, 0],
    ['not for longer because he would', 'wait=7', false, BOUND_MS],
  ] as const)('waits %s; then it is 503', async (_, prefer, isForwarded, ms) => {
    await expect(setUp().ask(prefer, isForwarded)).rejects.toMatchObject(COUNTING);
    expect(took()).toBeGreaterThanOrEqual(ms - 5);
    expect(took()).toBeLessThan(ms + AT_ONCE_MS);
  });

  test('is decided once more when the time is over: not only a count ends it', async () => {
    const { ask, at } = setUp();
    const answer = ask('wait=1');
    setTimeout(() => {
      at.isCounted = true;
    }, 100);
    expect(await answer).toEqual(HERE);
    expect(took()).toBeGreaterThanOrEqual(995);
  });

  test('is told at once when the process stops, also who comes then', async () => {
    const { ask, stop } = setUp();
    const answer = ask();
    stop.abort();
    await expect(answer).rejects.toMatchObject(COUNTING);
    await expect(ask()).rejects.toMatchObject(COUNTING);
    expect(took()).toBeLessThan(AT_ONCE_MS);
  });

  test('asks the new owner at once when the partition is given up or lost; another replica does so itself', async () => {
    const { ask, at, leaving } = setUp();
    const answers = Promise.allSettled([ask(), ask(null, true)]);
    at.isMine = false;
    leaving.abort();
    expect(await answers).toMatchObject([{ value: THERE }, { reason: { code: 'no_owner' } }]);
    expect(took()).toBeLessThan(AT_ONCE_MS);
  });

  test('is one of so many that wait: beyond them it is 503 at once, and undecided', async () => {
    const { ask, at, count } = setUp();
    const waiting = Promise.allSettled(Array.from({ length: 500 }, () => ask()));
    const beyond = await Promise.allSettled(Array.from({ length: 300 }, () => ask()));
    expect(took()).toBeLessThan(AT_ONCE_MS);
    for (const one of beyond) expect(one).toMatchObject({ status: 'rejected', reason: COUNTING });
    expect(at.decided).toBe(500 * 2 + 300);
    count(2);
    for (const one of await waiting) expect(one).toMatchObject({ value: HERE });
    await expect(ask()).resolves.toEqual(HERE);
  });

  test('counts that come one after another are told together', async () => {
    const { ask, at, fold, count } = setUp();
    const answer = ask();
    for (let position = 2; position < 100; position += 1) fold(position);
    setTimeout(() => count(100), 100);
    await answer;
    expect(at.decided).toBe(4);
  });
});
