import { describe, expect, test } from '@jest/globals';
import { NotDecidedError, OutcomeUnknownError } from '../src/features/hold-outcomes.js';
import { ask, budgetOfOne, changesOf, errorsOf, setUp } from './support/desk.js';

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

  test('terms keep what their event says of them: word for word, whatever stands around it', async () => {
    const { desk, appends, tenant } = setUp();
    const dimensions = { model: 'ü\u{1F600}"\\' };
    await Promise.all([desk.reserve('acme', ask('a')), desk.release('acme', 'a'), desk.reserve('acme', { ...ask('b'), dimensions })]);
    expect(changesOf(appends)).toEqual([['granted a', 'released a', 'granted b']]);
    const { changes } = JSON.parse(appends[0] ?? '') as { changes: readonly object[] };
    expect(['a', 'b'].map((id) => tenant.undecided.get(id)?.grant.terms.granted)).toEqual(
      [changes[0], changes[2]].map((one) => JSON.stringify(one)),
    );
  });

  test.each([
    ['unused, which would be twice the limit', { mode: 'unused' }, 100, 100n, [101n, 100n]],
    ['debt: what is held past the limit may be owed', { mode: 'debt' }, 150, 150n, [76n, 75n]],
    ['a cap that what is held leaves untouched', { mode: 'unused', cap: '0.5' }, 100, 40n, [151n, 150n]],
  ] as const)('what is held of the period before is not left over, by %s', async (_, rollover, blockAtPercent, before, [tooMuch, most]) => {
    const enforcement = { mode: 'block' as const, blockAtPercent, autoPause: false };
    const { desk, on } = setUp(budgetOfOne({ rollover, enforcement }));
    const take = async (id: string, cents: bigint): Promise<string> => {
      const what = { amount: cents * 10_000_000_000n, currency: 'USD' };
      return (await desk.reserve('acme', { ...ask(id), what })).outcome.is;
    };
    const march = on.now();
    on.now = () => march - 86_400_000_000_000n;
    expect(await take('before', before)).toBe('held');
    on.now = () => march;
    expect([await take('too much', tooMuch), await take('most', most)]).toEqual(['refused', 'held']);
  });

  test('J8 looks again at the first grant a second after the last look, and at one of 64', async () => {
    const { desk, on, checks } = setUp();
    const begun = on.now();
    const grant = async (afterMs: bigint, count: number): Promise<number> => {
      on.now = () => begun + afterMs * 1_000_000n;
      await Promise.all(Array.from({ length: count }, (_, n) => desk.reserve('acme', ask(`${afterMs} ${n}`))));
      return checks.length;
    };
    expect([await grant(0n, 1), await grant(999n, 2), await grant(1_000n, 2), await grant(1_500n, 64)]).toEqual([1, 1, 2, 3]);
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
