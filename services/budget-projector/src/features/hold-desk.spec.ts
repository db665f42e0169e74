import { type EpochNs, parseInstant } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import type { Ask } from '../domain/holds/ask.js';
import { TenantFold } from '../domain/tenant-fold.js';
import { TenantHistory } from '../domain/tenant-history.js';
import type { FoldMemory } from './fold-memory.js';
import { HoldDesk } from './hold-desk.js';
import { NotDecidedError, OutcomeUnknownError } from './hold-outcomes.js';
import { Turns } from './turns.js';
import { Watermark } from './watermark.js';

const NOW: EpochNs = parseInstant('2026-03-01T00:00:00Z');
const ask = (reservationId: string): Ask => ({
  reservationId,
  isCallers: true,
  bodyHash: reservationId,
  scopes: ['user:a'],
  what: { amount: 1n, currency: 'USD' },
  ttlNs: 1_000_000_000n,
});

/** A desk over a tenant without budgets, with a store and tables that answer when they are told to. */
const setUp = () => {
  const tenant = new TenantFold(new TenantHistory('acme'), new Map(), null, []);
  const letGo = new Set<string>();
  const memory = {
    lookups: 0,
    known: (id: string) => (letGo.has(id) ? undefined : tenant),
    tenant: async () => tenant,
    load: async () => undefined,
  } satisfies Pick<FoldMemory, 'lookups' | 'known' | 'tenant' | 'load'>;
  const failures: Error[] = [];
  const appends: string[] = [];
  const on = {
    append: async (): Promise<void> => undefined,
    holds: async (): Promise<void> => undefined,
    now: (): EpochNs => NOW,
  };
  const desk = new HoldDesk({
    memory: memory as unknown as FoldMemory,
    tables: {
      holds: async () => {
        await on.holds();
        return [];
      },
    },
    ledger: {
      appendHolds: async (_partition, { data, expectedRevision }) => {
        await on.append();
        appends.push(data);
        return { position: appends.length, revision: expectedRevision + 1 };
      },
    },
    turns: new Turns(),
    folded: new Watermark(0),
    makeRoom: () => undefined,
    now: () => on.now(),
    key: { partition: 0, owner: 'test', epoch: 1 },
    revision: 0,
    checked: () => undefined,
    failed: (error) => failures.push(error),
  });
  return { desk, memory, on, appends, failures, letGo };
};
const errorsOf = async (asked: readonly Promise<unknown>[]): Promise<readonly unknown[]> =>
  (await Promise.allSettled(asked)).map((one) => (one.status === 'rejected' ? (one.reason as Error).constructor : one.value));

describe('a hold desk', () => {
  test('answers all that came together with one append', async () => {
    const { desk, appends, memory } = setUp();
    const answers = await Promise.all([desk.reserve('acme', ask('a')), desk.reserve('acme', ask('b'))]);
    expect(answers.map(({ outcome, isFenced }) => [outcome.is, isFenced])).toEqual([
      ['held', true],
      ['held', true],
    ]);
    expect([appends.length, memory.lookups]).toEqual([1, 0]);
  });

  test('ends its session when a group cannot be decided: everybody in it and behind it hears so, and nothing is appended', async () => {
    const { desk, on, appends, failures, memory } = setUp();
    let behind: Promise<unknown> = Promise.resolve();
    on.holds = async () => {
      // The next group gathers while this one is looked up.
      behind = errorsOf([desk.reserve('acme', ask('behind'))]);
      on.now = () => {
        throw new Error('broken');
      };
    };
    expect(await errorsOf([desk.reserve('acme', ask('a')), desk.release('acme', 'b')])).toEqual([OutcomeUnknownError, OutcomeUnknownError]);
    expect(await behind).toEqual([NotDecidedError]);
    expect(await errorsOf([desk.reserve('acme', ask('after'))])).toEqual([NotDecidedError]);
    expect([failures.map(({ message }) => message), appends, memory.lookups]).toEqual([['broken'], [], 0]);
  });

  test('ends its session when an append fails', async () => {
    const { desk, on, failures } = setUp();
    let behind: Promise<unknown> = Promise.resolve();
    on.append = async () => {
      behind = errorsOf([desk.reserve('acme', ask('behind'))]);
      throw new Error('lost');
    };
    expect(await errorsOf([desk.reserve('acme', ask('a'))])).toEqual([OutcomeUnknownError]);
    expect(await behind).toEqual([NotDecidedError]);
    expect(failures).toHaveLength(1);
  });

  test('decides nothing more, and leaves nobody waiting, when the session ends while the tables are asked', async () => {
    const { desk, on, appends, memory, letGo } = setUp();
    on.holds = async () => {
      letGo.add('other');
      desk.stop();
    };
    const asked = [desk.reserve('acme', ask('a')), desk.expire('acme', 'b'), desk.reserve('other', ask('c'))];
    expect(await errorsOf(asked)).toEqual([NotDecidedError, NotDecidedError, NotDecidedError]);
    expect([appends, memory.lookups]).toEqual([[], 0]);
  });

  test('decides more while an append is on its way, and appends that as soon as it is in, in order', async () => {
    const { desk, on, appends } = setUp();
    const first = Promise.withResolvers<void>();
    let begun = 0;
    on.append = async () => {
      begun += 1;
      if (begun === 1) await first.promise;
    };
    const asked = Array.from({ length: 140 }, (_, n) => desk.reserve('acme', ask(`r${n}`)));
    while (begun === 0) await new Promise((resolve) => setImmediate(resolve));
    const later = desk.reserve('acme', ask('later'));
    for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([begun, appends.length]).toEqual([1, 0]);
    first.resolve();
    const answers = await Promise.all([...asked, later]);
    expect(answers.every(({ outcome, isFenced }) => outcome.is === 'held' && isFenced)).toBe(true);
    expect(appends.map((data) => (JSON.parse(data) as { changes: unknown[] }).changes.length)).toEqual([128, 13]);
  });

  test('the same id again while its append is on its way is answered with the same position', async () => {
    const { desk, on } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const one = desk.reserve('acme', ask('a'));
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    const again = desk.reserve('acme', ask('a'));
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    first.resolve();
    const positions = (await Promise.all([one, again])).map(({ outcome }) => outcome.is === 'held' && outcome.held.position);
    expect(positions).toEqual([1, 1]);
  });

  test('when an append fails, what was decided behind it never goes: its callers may ask another owner', async () => {
    const { desk, on, appends, failures } = setUp();
    on.append = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error('lost');
    };
    const errors = await errorsOf(Array.from({ length: 140 }, (_, n) => desk.reserve('acme', ask(`r${n}`))));
    expect(errors.slice(0, 128)).toEqual(Array.from({ length: 128 }, () => OutcomeUnknownError));
    expect(errors.slice(128)).toEqual(Array.from({ length: 12 }, () => NotDecidedError));
    expect([appends, failures.length]).toEqual([[], 1]);
  });

  test('an event that is full goes before more is decided', async () => {
    const { desk, appends } = setUp();
    const wide = (id: string): Ask => ({ ...ask(id), dimensions: { note: 'x'.repeat(100_000) } });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => desk.reserve('acme', wide(id))));
    expect(appends.map((data) => (JSON.parse(data) as { changes: unknown[] }).changes.length)).toEqual([2, 2, 1]);
  });

  test('hears of tables that do not answer, and goes on', async () => {
    const { desk, on } = setUp();
    on.holds = async () => {
      on.holds = async () => undefined;
      throw new RangeError('no tables');
    };
    expect(await errorsOf([desk.reserve('acme', ask('a'))])).toEqual([RangeError]);
    expect((await desk.reserve('acme', ask('a'))).outcome.is).toBe('held');
  });

  test('answers what the ledger took when the session ends meanwhile, and nobody else', async () => {
    const { desk, on, letGo } = setUp();
    on.holds = async () => {
      letGo.add('other');
    };
    on.append = async () => desk.stop();
    const [held, put] = await Promise.allSettled([desk.reserve('acme', ask('a')), desk.reserve('other', ask('b'))]);
    expect(held).toMatchObject({ value: { outcome: { is: 'held' }, isFenced: true } });
    expect(put).toMatchObject({ reason: expect.any(NotDecidedError) });
  });
});
