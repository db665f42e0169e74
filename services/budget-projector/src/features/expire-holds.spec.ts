import { derivedId, type EpochNs } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { ExpiryLoop } from './expire-holds.js';
import type { HoldDesk } from './hold-desk.js';
import { Watermark } from './watermark.js';

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** One hold that is due, a store and a desk that fail as long as they are told to. */
const setUp = () => {
  const ended = new AbortController();
  const failures: unknown[] = [];
  const on = { head: null as Error | null, expire: null as Error | null, looks: 0, expiries: 0, during: (): void => undefined };
  const desk = {
    expire: async () => {
      on.expiries += 1;
      on.during();
      if (on.expire !== null) throw on.expire;
    },
  };
  const ledger = {
    settledHead: async () => {
      on.looks += 1;
      if (on.head !== null) throw on.head;
      return 0;
    },
  };
  const now = (): EpochNs => 2_000_000_000n;
  const expiries = new ExpiryLoop(desk as unknown as HoldDesk, ledger, 0, new Watermark(0), now, ended.signal, (error) =>
    failures.push(error),
  );
  expiries.seed([{ tenant: 'acme', reservationId: derivedId('due'), expiresAt: 1_000_000_000n }]);
  expiries.begin();
  return { on, failures, end: () => ended.abort() };
};

test('holds that cannot be ended are said once, tried again all the same, and said anew after it went well', async () => {
  const { on, failures, end } = setUp();
  const [store, tables] = [new Error('permission denied'), new Error('no tables')];
  on.head = store;
  await until(() => on.looks >= 3);
  expect(failures).toEqual([store]);
  on.head = null;
  await until(() => on.expiries >= 1);
  on.expire = tables;
  await until(() => failures.length > 1);
  expect(failures).toEqual([store, tables]);
  end();
});

test('what fails because the session is over is not said here', async () => {
  const { on, failures, end } = setUp();
  on.expire = new Error('the session ended');
  on.during = end;
  await until(() => on.expiries >= 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([]);
});
