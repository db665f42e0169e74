import type { UsageData } from '../events/usage.js';
import { formatDecimal, parseDecimal } from '../values/decimal.js';
import type { ScopeRef } from '../values/scope.js';

/** How one cost is split (PRODUCT A14). Percentages sum to 100: the edge has seen to it. */
export type Split = Readonly<{
  /** In the order of the event: what a part weighs, and whom it charges: its scope and all above it. */
  parts: readonly Readonly<{ weight: bigint; path: readonly ScopeRef[] }>[];
  /** Scopes charged by the event's own `scopes` and by no part: they get the whole. */
  whole: readonly ScopeRef[];
}>;

/** Stored percentages have at most so many fraction digits. */
const PERCENT_DIGITS = 24;

/** The split of an event along its paths; undefined when it names none, and every scope of `path` is charged the whole. */
export const splitOf = (
  { allocation }: Pick<UsageData, 'allocation'>,
  path: readonly ScopeRef[],
  pathOf: (scope: ScopeRef) => readonly ScopeRef[],
): Split | undefined => {
  if (allocation === undefined) return undefined;
  const parts = allocation.map(({ scope, percent }) => ({ weight: parseDecimal(percent, PERCENT_DIGITS), path: pathOf(scope) }));
  const shared = new Set(parts.flatMap((part) => part.path));
  return { parts, whole: path.filter((scope) => !shared.has(scope)) };
};

/**
 * What these scopes together are charged of an amount: the parts whose path reaches one of them, each once, so a shared ancestor gets
 * the whole once. The amount is split in the currency it is in: the parts of a converted amount add up to it as well.
 */
export const shareOf = (split: Split | undefined, scopes: readonly ScopeRef[], picos: bigint): bigint => {
  if (split === undefined || scopes.some((scope) => split.whole.includes(scope))) return picos;
  const amounts = splitExactly(
    picos,
    split.parts.map(({ weight }) => weight),
  );
  const reached = amounts.filter((_, index) => scopes.some((scope) => split.parts[index]?.path.includes(scope)));
  return reached.reduce((sum, amount) => sum + amount, 0n);
};

/** By largest remainder, the earlier part first when equal: parts sum to `picos` (≥ 0), each less than one pico off its exact share. */
export const splitExactly = (picos: bigint, weights: readonly bigint[]): readonly bigint[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const shares = weights.map((weight, index) => ({ index, amount: (picos * weight) / total, remainder: (picos * weight) % total }));
  const missing = picos - shares.reduce((sum, { amount }) => sum + amount, 0n);
  const favoured = shares.toSorted((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const raised = new Set(favoured.slice(0, Number(missing)).map(({ index }) => index));
  return shares.map(({ index, amount }) => (raised.has(index) ? amount + 1n : amount));
};

/** As events and tables keep it. */
export type WireSplit = { parts: { percent: string; path: ScopeRef[] }[]; whole: ScopeRef[] };

export const splitToWire = ({ parts, whole }: Split): WireSplit => ({
  parts: parts.map(({ weight, path }) => ({ percent: formatDecimal(weight, PERCENT_DIGITS), path: [...path] })),
  whole: [...whole],
});

export const splitFromWire = ({ parts, whole }: WireSplit): Split => ({
  parts: parts.map(({ percent, path }) => ({ weight: parseDecimal(percent, PERCENT_DIGITS), path })),
  whole,
});
