import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BudgetDefinition } from '../events/budget.js';
import { parseInstant } from '../values/instant.js';
import { parsePicos } from '../values/money.js';
import { type Period, periodAt, periodOffset } from '../values/period.js';
import { BUDGET, budgetChanged, budgetCreated, given } from './given.js';
import { carry, evolveTerms, MAX_ROLLOVER_PERIODS, rolledOver, rolloverChain, rollsOver, type Terms } from './rollover.js';

type Rollover = BudgetDefinition['rollover'];
const UNIT = 10n ** 12n;
const CREATED = '2025-01-01T00:00:00Z';
const terms = (rollover: Rollover, limit: string | null = '100', from = CREATED): Terms => ({ from, limit, currency: 'EUR', rollover });
const daily: BudgetDefinition = { ...BUDGET, period: { kind: 'daily', timezone: 'UTC', recurring: true } };
const day = (n: number): Period => {
  const period = periodAt(daily.period, parseInstant(CREATED) + BigInt(n) * 86_400n * 1_000_000_000n);
  if (period === null) throw new Error('every day is a period');
  return period;
};
const chainOf = (known: readonly Terms[], period: Period, createdAt = CREATED): readonly Period[] =>
  rolloverChain({ definition: daily, terms: known, createdAt: parseInstant(createdAt) }, period);
/** Carried into the day after so many with these spends. */
const after = (rollover: Rollover, ...spends: readonly number[]): bigint => {
  const chain = chainOf([terms(rollover)], day(spends.length));
  const offset = spends.length - chain.length;
  return rolledOver([terms(rollover)], 'EUR', chain, (period) => BigInt(spends[chain.indexOf(period) + offset] ?? 0) * UNIT) / UNIT;
};

describe('what is carried from one period into the next', () => {
  test.each<[string, Rollover, number[], bigint]>([
    ['nothing without rollover', { mode: 'none' }, [30], 0n],
    ['what is left over', { mode: 'unused' }, [30], 70n],
    ['no more than the cap', { mode: 'unused', cap: '50' }, [30], 50n],
    ['what was left over and is left over again', { mode: 'unused' }, [30, 40], 130n],
    ['the cap holds for the whole', { mode: 'unused', cap: '80' }, [30, 40], 80n],
    ['what was carried is spent first or last, it is one room', { mode: 'unused' }, [30, 150], 20n],
    ['no debt under unused', { mode: 'unused' }, [130], 0n],
    ['overspend under debt', { mode: 'debt' }, [130], -30n],
    ['nothing unused under debt', { mode: 'debt' }, [70], 0n],
    ['a debt is paid off by the next period', { mode: 'debt' }, [130, 40], 0n],
    ['a debt grows', { mode: 'debt' }, [130, 90], -20n],
    ['a debt may be larger than a limit', { mode: 'debt' }, [350, 0], -150n],
    ['both, whichever it is', { mode: 'both' }, [130, 20], 50n],
    ['both, the cap being for what is left over alone', { mode: 'both', cap: '10' }, [230], -130n],
    ['a cap of zero', { mode: 'both', cap: '0' }, [30], 0n],
  ])('%s', (_what, rollover, spends, expected) => expect(after(rollover, ...spends)).toBe(expected));

  test('a period goes by the terms in force just before its end', () => {
    const known = [terms({ mode: 'unused' }), terms({ mode: 'unused' }, '500', '2025-01-02T00:00:00Z')];
    const carried = (period: Period) => rolledOver(known, 'EUR', chainOf(known, period), () => 0n) / UNIT;
    expect(carried(day(1))).toBe(100n);
    expect(carried(day(2))).toBe(600n);
  });
  test('without a limit, or in a currency that was given up, nothing is', () => {
    expect(carry(terms({ mode: 'both' }, null), 'EUR', 0n, 5n)).toBe(0n);
    expect(carry(terms({ mode: 'both' }), 'USD', 0n, 5n)).toBe(0n);
  });
});

describe('the periods that matter', () => {
  test('none without rollover', () => expect(chainOf([terms({ mode: 'none' })], day(9))).toEqual([]));
  test('none for a period that holds the creation, or is before it', () => {
    expect(chainOf([terms({ mode: 'both' })], day(0))).toEqual([]);
    expect(chainOf([terms({ mode: 'both' })], day(3), '2025-01-04T12:00:00Z')).toEqual([]);
    expect(chainOf([terms({ mode: 'both' })], day(4), '2025-01-04T12:00:00Z')).toEqual([day(3)]);
  });
  test('none of a one-off budget', () => {
    const definition: BudgetDefinition = { ...BUDGET, period: { ...daily.period, anchor: CREATED, recurring: false } };
    const input = { definition, terms: [terms({ mode: 'both' })], createdAt: parseInstant('2024-01-01T00:00:00Z') };
    expect(rolloverChain(input, day(0))).toEqual([]);
  });
  test('back to where nothing was carried', () => {
    const known = [terms({ mode: 'none' }), terms({ mode: 'unused' }, '100', '2025-01-05T12:00:00Z')];
    expect(chainOf(known, day(7))).toEqual([day(4), day(5), day(6)]);
  });
});

test('a budget’s terms are kept by its events: an edit of something else adds none', () => {
  const events = [
    budgetCreated(1, 'b', { rollover: { mode: 'unused', cap: '5' } }),
    budgetChanged(2, 'b', { name: 'Other', rollover: { mode: 'unused', cap: '5' } }),
    budgetChanged(3, 'b', { limit: { amount: '7', currency: 'EUR' } }),
  ];
  expect(given(...events).budgets.at('b', 3)?.terms).toEqual([
    { from: '2025-01-01T00:00:01Z', limit: '1000', currency: 'EUR', rollover: { mode: 'unused', cap: '5' } },
    { from: '2025-01-01T00:00:03Z', limit: '7', currency: 'EUR', rollover: { mode: 'none' } },
  ]);
  expect(rollsOver(evolveTerms([], budgetCreated(1, 'b')))).toBe(false);
});

describe('of any budget', () => {
  const mode = fc.constantFrom<Rollover['mode']>('none', 'unused', 'debt', 'both');
  const rollover = fc.record({ mode, cap: fc.nat(200).map(String) });
  const story = fc.record({
    terms: fc.array(fc.record({ day: fc.nat(30), limit: fc.nat(200).map(String), rollover }), { minLength: 1, maxLength: 5 }).map((list) =>
      list
        .sort((a, b) => a.day - b.day)
        .map(({ day: from, limit, rollover: of }, index): Terms => {
          return terms(of, limit, index === 0 ? CREATED : `2025-01-${String(from + 1).padStart(2, '0')}T12:00:00Z`);
        }),
    ),
    spends: fc.array(fc.nat(300), { minLength: 31, maxLength: 31 }),
    at: fc.nat(30),
  });
  const spendOn =
    (spends: readonly number[]) =>
    ({ start }: Period): bigint =>
      BigInt(spends[Number((start - parseInstant(CREATED)) / (86_400n * 1_000_000_000n))] ?? 0) * UNIT;

  test('the chain tiles the time before its period, at most twelve long and never before the creation', () => {
    fc.assert(
      fc.property(story, ({ terms: known, at }) => {
        const chain = chainOf(known, day(at));
        expect(chain.length).toBeLessThanOrEqual(Math.min(at, MAX_ROLLOVER_PERIODS));
        for (const [index, period] of [...chain, day(at)].entries()) {
          if (index > 0) expect(periodOffset(daily.period, period, -1)).toEqual(chain[index - 1]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('carrying on from what came in is carrying on from the start, as long as the chain reaches it', () => {
    fc.assert(
      fc.property(story, ({ terms: known, spends, at }) => {
        fc.pre(at >= 1 && at < MAX_ROLLOVER_PERIODS);
        const into = (n: number): bigint => rolledOver(known, 'EUR', chainOf(known, day(n)), spendOn(spends));
        const before = day(at - 1);
        const inForce = known.findLast(({ from }) => parseInstant(from) < before.end);
        expect(into(at)).toBe(carry(inForce, 'EUR', into(at - 1), spendOn(spends)(before)));
      }),
      { numRuns: 300 },
    );
  });

  test('more spend before never leaves more, and what is left stays within cap and mode', () => {
    fc.assert(
      fc.property(story, fc.nat(30), ({ terms: known, spends, at }, more) => {
        const chain = chainOf(known, day(at));
        const carried = rolledOver(known, 'EUR', chain, spendOn(spends));
        expect(rolledOver(known, 'EUR', chain, spendOn(spends.with(more, (spends[more] ?? 0) + 50)))).toBeLessThanOrEqual(carried);
        const last = known.findLast(({ from }) => parseInstant(from) < day(at).start);
        if (carried > 0n) expect(carried).toBeLessThanOrEqual(parsePicos(last?.rollover.cap ?? '0'));
        if (carried < 0n) expect(['debt', 'both']).toContain(last?.rollover.mode);
      }),
      { numRuns: 300 },
    );
  });
});
