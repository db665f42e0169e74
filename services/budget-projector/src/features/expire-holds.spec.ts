import { derivedId, type EpochNs } from '@bursar/contracts';
import { afterEach, expect, jest, test } from '@jest/globals';
import type { Hold } from '../domain/holds/hold.js';
import { ExpiryLoop } from './expire-holds.js';
import type { HoldDesk } from './hold-desk.js';
import { Watermark } from './watermark.js';

/** A loop that nobody ends keeps the process alive. */
let end = (): void => undefined;
afterEach(() => {
  end();
  jest.useRealTimers();
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const DUE = derivedId('due');
const holdOf = (id: string, expiresAt: EpochNs, status = 'settled'): Hold =>
  ({ tenant: 'acme', id, status, grant: { terms: { expiresAt } } }) as unknown as Hold;

/** One hold that is due, a store and a desk that fail as long as they are told to. */
const setUp = (isFit = true) => {
  const ended = new AbortController();
  const failures: unknown[] = [];
  const told = { expired: 0 };
  const on = { head: null as Error | null, expire: null as Error | null, looks: 0, at: 0, expiries: 0, during: (): void => undefined };
  const asked: string[] = [];
  const desk = {
    expire: async (_tenant: string, reservationId: string) => {
      on.expiries += 1;
      asked.push(reservationId);
      on.during();
      if (on.expire !== null) throw on.expire;
    },
  };
  const ledger = {
    settledHead: async () => {
      on.looks += 1;
      if (on.head !== null) throw on.head;
      return on.at;
    },
  };
  const now = (): EpochNs => 2_000_000_000n;
  const folded = new Watermark(0);
  const watch = {
    failed: (error: unknown) => failures.push(error),
    expired: () => {
      told.expired += 1;
    },
  };
  const expiries = new ExpiryLoop(desk as unknown as HoldDesk, ledger, 0, folded, now, ended.signal, watch);
  expiries.seed([{ tenant: 'acme', reservationId: DUE, expiresAt: 1_000_000_000n }]);
  if (isFit) expiries.begin();
  end = () => ended.abort();
  return { on, failures, told, expiries, folded, expired: () => [...new Set(asked)].sort() };
};

test('holds that cannot be ended are said once, tried again all the same, and said anew after it went well', async () => {
  const { on, failures } = setUp();
  const [store, tables] = [new Error('permission denied'), new Error('no tables')];
  on.head = store;
  await until(() => on.looks >= 3);
  expect(failures).toEqual([store]);
  on.head = null;
  await until(() => on.expiries >= 1);
  on.expire = tables;
  await until(() => failures.length > 1);
  expect(failures).toEqual([store, tables]);
});

test('what fails because the session is over is not said here', async () => {
  const { on, failures } = setUp();
  on.expire = new Error('the session ended');
  on.during = end;
  await until(() => on.expiries >= 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([]);
});

test('a hold ends only once all is folded that was in the store when its time was over: what came in time settles it', async () => {
  const { on, folded, expired } = setUp();
  on.at = 7;
  await until(() => on.looks >= 1);
  folded.advance(6);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(expired()).toEqual([]);
  folded.advance(7);
  await until(() => on.expiries >= 1);
  expect(expired()).toEqual([DUE]);
});

test('what is granted meanwhile ends too, when its time is over; what has ended otherwise is let be', async () => {
  const { expiries, expired } = setUp();
  expiries.closed(holdOf(DUE, 1_000_000_000n));
  for (const hold of [holdOf('past', 2_000_000_000n), holdOf('to come', 2_000_000_001n), holdOf('settled', 1_500_000_000n)]) {
    if (hold.grant !== null) expiries.opened(hold.tenant, hold.grant.terms, [hold.id]);
  }
  expiries.closed(holdOf('settled', 1_500_000_000n));
  await until(() => expired().length > 0);
  expect(expired()).toEqual(['past']);
});

test('begun by everything that waits for the state to be fit, it is one timer: what is due is asked for once at a time', async () => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  const { on, expiries } = setUp();
  on.at = 7;
  expiries.begin();
  await jest.advanceTimersByTimeAsync(2_000);
  expect([on.looks, jest.getTimerCount()]).toEqual([1, 1]);
});

test.each([
  ['told of, and no other that is closed', true, 2],
  ['not told of again by a new owner who folds what the last one has told', false, 0],
])('F25: holds that ended by themselves are %s', (_, isFit, times) => {
  const { expiries, told } = setUp(isFit);
  for (const status of ['settled', 'released', 'expired', 'expired']) expiries.closed(holdOf(status, 1_000_000_000n, status));
  expect(told.expired).toBe(times);
});
