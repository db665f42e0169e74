import type { ThresholdDefinition } from '../events/budget.js';
import { formatDecimal, parseDecimal } from '../values/decimal.js';
import { formatPicos, parsePicos } from '../values/money.js';
import { readOnce } from '../values/read-once.js';

/** Fraction digits kept of a percentage. */
export const PERCENT_SCALE = 12;
/** 100 % as a scaled percentage. */
export const HUNDRED_PERCENT = 100n * 10n ** BigInt(PERCENT_SCALE);

/** State of one threshold in one period. Without a row it is armed in episode 1. */
export type ThresholdState = Readonly<{ crossed: boolean; episode: number }>;
export const ARMED: ThresholdState = { crossed: false, episode: 1 };

export type Transition = Readonly<{ threshold: ThresholdDefinition; key: string; change: 'crossed' | 'cleared'; episode: number }>;

/** A threshold is its value, however it is written: `80%`, `amount:400`. An edit of severity, actions or channels leaves it the same threshold. */
export const thresholdKey = (threshold: ThresholdDefinition): string => measure(threshold).key;

/**
 * `>=`, by cross-multiplying: 80 % is reached at exactly 80 %. With a limit of zero any spend reaches every threshold.
 * Without a limit (null) a percentage is never reached, an amount still is. Spend and limit in picos.
 */
export const isReached = (threshold: ThresholdDefinition, spend: bigint, limit: bigint | null): boolean => {
  const { percent, amount } = measure(threshold);
  if (limit !== null && limit <= 0n) return spend > 0n;
  if (amount !== null) return spend >= amount;
  return limit !== null && isAtPercent(percent, spend, limit);
};

/** Is spend at or past `percent` (scaled) of a positive limit? */
export const isAtPercent = (percent: bigint, spend: bigint, limit: bigint): boolean => spend * HUNDRED_PERCENT >= percent * limit;

/**
 * The transitions that spend and limit ask for, lowest threshold first. Armed and reached: crossed, in the state's episode. Crossed
 * and no longer reached: cleared, the same episode ends. Anything else says nothing, however often it is asked.
 */
export const decideThresholds = (
  thresholds: readonly ThresholdDefinition[],
  states: ReadonlyMap<string, ThresholdState>,
  spend: bigint,
  limit: bigint | null,
): readonly Transition[] => {
  const transitions: Transition[] = [];
  for (const threshold of thresholds) {
    const key = thresholdKey(threshold);
    const { crossed, episode } = states.get(key) ?? ARMED;
    if (isReached(threshold, spend, limit) === crossed) continue;
    transitions.push({ threshold, key, change: crossed ? 'cleared' : 'crossed', episode });
  }
  return transitions.length < 2 ? transitions : transitions.sort((a, b) => compareThresholds(a.threshold, b.threshold, limit));
};

/** The state after a transition: a clearing arms the threshold for its next episode. */
export const afterTransition = ({ change, episode }: Transition): ThresholdState =>
  change === 'crossed' ? { crossed: true, episode } : { crossed: false, episode: episode + 1 };

/** By the spend that reaches them at this limit; percentages of no limit come last. */
export const compareThresholds = (a: ThresholdDefinition, b: ThresholdDefinition, limit: bigint | null): number => {
  const [left, right] = [measure(a), measure(b)];
  const [kindA, kindB] = limit === null ? [left.amount === null, right.amount === null] : [false, false];
  return Number(kindA) - Number(kindB) || compare(height(left, limit), height(right, limit)) || compare(left.percent, right.percent);
};

/** Spend ÷ limit × 100 with two digits, rounded down: `65.05`. null without a limit and at limit zero. */
export const percentUsed = (spend: bigint, limit: bigint | null): string | null => {
  if (limit === null || limit <= 0n) return null;
  const hundredths = spend * 10_000n;
  const down = hundredths / limit - (hundredths < 0n && hundredths % limit !== 0n ? 1n : 0n);
  return fixedTwo(down);
};

/** Hundredths as text with exactly two fraction digits. */
export const fixedTwo = (hundredths: bigint): string => {
  const [whole = '0', fraction = ''] = formatDecimal(hundredths, 2).split('.');
  return `${whole}.${fraction.padEnd(2, '0')}`;
};

type Measure = Readonly<{ key: string; percent: bigint; amount: bigint | null }>;

const measure = readOnce(({ percent = '0', amount }: ThresholdDefinition): Measure => {
  if (amount === undefined) {
    const scaled = parseDecimal(percent, PERCENT_SCALE);
    return { key: `${formatDecimal(scaled, PERCENT_SCALE)}%`, percent: scaled, amount: null };
  }
  const picos = parsePicos(amount);
  return { key: `amount:${formatPicos(picos)}`, percent: 0n, amount: picos };
});

const height = ({ percent, amount }: Measure, limit: bigint | null): bigint =>
  amount === null ? percent * (limit ?? 1n) : amount * HUNDRED_PERCENT;

const compare = (a: bigint, b: bigint): number => Number(a > b) - Number(a < b);
