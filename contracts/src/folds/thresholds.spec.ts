import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ThresholdDefinition } from '../events/budget.js';
import {
  afterTransition,
  decideThresholds,
  isReached,
  percentUsed,
  type ThresholdState,
  type Transition,
  thresholdKey,
} from './thresholds.js';

const at = (percent: string): ThresholdDefinition => ({ percent, severity: 'warning', actions: ['notify'] });
const amount = (text: string): ThresholdDefinition => ({ amount: text, severity: 'warning', actions: ['notify'] });
const PICO = 10n ** 12n;

describe('reached means >=', () => {
  test.each<[string, ThresholdDefinition, bigint, bigint | null, boolean]>([
    ['exactly 80 %', at('80'), 80n, 100n, true],
    ['one pico short of 80 %', at('80'), 79n, 100n, false],
    ['80 % of a limit that is no multiple of five', at('80'), 81n, 101n, true],
    ['just under it', at('80'), 80n, 101n, false],
    ['80.5 %', at('80.5'), 805n, 1000n, true],
    ['a hair under 80.5 %', at('80.5'), 804n, 1000n, false],
    ['33.333333333333 % of three', at('33.333333333333'), PICO, 3n * PICO, true],
    ['over a hundred', at('150'), 150n, 100n, true],
    ['an amount, exactly', amount('400'), 400n * PICO, 1000n * PICO, true],
    ['an amount, a pico short', amount('400'), 400n * PICO - 1n, 1000n * PICO, false],
    ['an amount without a limit', amount('400'), 400n * PICO, null, true],
    ['a percentage without a limit', at('80'), 10n ** 30n, null, false],
    ['zero limit, any spend', at('1000'), 1n, 0n, true],
    ['zero limit, any spend, by amount', amount('400'), 1n, 0n, true],
    ['zero limit, no spend', at('80'), 0n, 0n, false],
    ['a credit', at('80'), -5n, 100n, false],
  ])('%s', (_, threshold, spend, limit, expected) => {
    expect(isReached(threshold, spend, limit)).toBe(expected);
  });
});

describe('decisions', () => {
  const thresholds = [at('95'), amount('0.000000000090'), at('80')];
  const states = (entries: Record<string, ThresholdState>): ReadonlyMap<string, ThresholdState> => new Map(Object.entries(entries));
  const said = (transitions: readonly Transition[]): string[] =>
    transitions.map(({ key, change, episode }) => `${change} ${key} ${episode}`);

  test('a jump over several raises each, lowest first', () => {
    expect(said(decideThresholds(thresholds, states({}), 100n, 100n))).toEqual([
      'crossed 80% 1',
      'crossed amount:0.00000000009 1',
      'crossed 95% 1',
    ]);
  });

  test('what is crossed stays silent while it is reached', () => {
    const crossed = { crossed: true, episode: 1 };
    expect(decideThresholds([at('80')], states({ '80%': crossed }), 90n, 100n)).toEqual([]);
    expect(decideThresholds([at('80')], states({ '80%': crossed }), 80n, 100n)).toEqual([]);
  });

  test('a raise of the limit clears, and the next crossing is another episode', () => {
    const [cleared] = decideThresholds([at('80')], states({ '80%': { crossed: true, episode: 1 } }), 90n, 200n);
    expect(cleared).toMatchObject({ change: 'cleared', episode: 1 });
    const armed = cleared === undefined ? undefined : afterTransition(cleared);
    expect(armed).toEqual({ crossed: false, episode: 2 });
    expect(said(decideThresholds([at('80')], states({ '80%': armed ?? { crossed: true, episode: 0 } }), 160n, 200n))).toEqual([
      'crossed 80% 2',
    ]);
  });

  test('an unlimited budget clears percentages and keeps amounts', () => {
    const both = states({ '80%': { crossed: true, episode: 3 }, 'amount:0.000000000001': { crossed: true, episode: 1 } });
    expect(said(decideThresholds([at('80'), amount('0.000000000001')], both, 90n, null))).toEqual(['cleared 80% 3']);
  });

  test('an edit of severity or actions leaves it the same threshold; one added when reached crosses at once; one taken away is forgotten', () => {
    const edited: ThresholdDefinition = { ...at('80'), severity: 'critical', actions: ['block-all'] };
    expect(thresholdKey(edited)).toBe('80%');
    expect([thresholdKey(at('80.50')), thresholdKey(amount('400.00'))]).toEqual(['80.5%', 'amount:400']);
    const crossed = states({ '80%': { crossed: true, episode: 1 }, '50%': { crossed: true, episode: 1 } });
    expect(said(decideThresholds([edited, at('60')], crossed, 90n, 100n))).toEqual(['crossed 60% 1']);
  });

  const percents = fc.uniqueArray(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 5 });

  test('however the spend is split, each threshold that the sum reaches is crossed exactly once', () => {
    fc.assert(
      fc.property(percents, fc.array(fc.bigInt({ min: 0n, max: 60n })), fc.bigInt({ min: 0n, max: 150n }), (list, parts, limit) => {
        const defined = list.map((percent) => at(String(percent)));
        const { log } = fold(
          defined,
          parts.map((part) => ({ spend: part, limit })),
        );
        const total = parts.reduce((sum, part) => sum + part, 0n);
        const expected = defined.filter((threshold) => isReached(threshold, total, limit)).map(thresholdKey);
        expect(log.map(({ key }) => key).toSorted()).toEqual(expected.toSorted());
        expect(log.every(({ change }) => change === 'crossed')).toBe(true);
      }),
    );
  });

  test('with credits and changed limits crossings and clearings alternate, one pair an episode', () => {
    const step = fc.record({
      spend: fc.bigInt({ min: -60n, max: 60n }),
      limit: fc.option(fc.bigInt({ min: 0n, max: 150n }), { nil: null }),
    });
    fc.assert(
      fc.property(percents, fc.array(step), (list, steps) => {
        const defined = list.map((percent) => at(String(percent)));
        const { log, states: end, spend } = fold(defined, steps);
        for (const threshold of defined) {
          const key = thresholdKey(threshold);
          const own = log.filter((transition) => transition.key === key).map(({ change, episode }) => `${change} ${episode}`);
          expect(own).toEqual(own.map((_, index) => `${index % 2 === 0 ? 'crossed' : 'cleared'} ${Math.floor(index / 2) + 1}`));
          const reached = steps.length > 0 && isReached(threshold, spend, steps.at(-1)?.limit ?? null);
          expect(end.get(key)?.crossed ?? false).toBe(reached);
        }
      }),
    );
  });
});

/** The projector's use: add, decide, remember. */
const fold = (thresholds: readonly ThresholdDefinition[], steps: readonly { spend: bigint; limit: bigint | null }[]) => {
  const states = new Map<string, ThresholdState>();
  const log: Transition[] = [];
  let spend = 0n;
  for (const step of steps) {
    spend += step.spend;
    for (const transition of decideThresholds(thresholds, states, spend, step.limit)) {
      states.set(transition.key, afterTransition(transition));
      log.push(transition);
    }
  }
  return { log, states, spend };
};

test.each<[bigint, bigint | null, string | null]>([
  [6505n, 10000n, '65.05'],
  [80n, 100n, '80.00'],
  [79_999n, 100_000n, '79.99'],
  [2n, 3n, '66.66'],
  [0n, 3n, '0.00'],
  [1n, 10n ** 12n, '0.00'],
  [250n, 100n, '250.00'],
  [-1n, 3n, '-33.34'],
  [5n, null, null],
  [5n, 0n, null],
])('%s of %s is %s per cent, rounded down', (spend, limit, expected) => {
  expect(percentUsed(spend, limit)).toBe(expected);
});
