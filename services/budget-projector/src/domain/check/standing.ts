import { type EpochNs, formatInstant, type Money, type Period, readOnce, type ScopeRef, type ThresholdDefinition } from '@bursar/contracts';
import { type BudgetState, blockPoint, isBlocking, isReached } from '@bursar/contracts/folds';

/** May these scopes spend this? Or, with a budget instead: may this be spent on it? */
export type Question = Readonly<{
  about: Readonly<{ scopes: readonly ScopeRef[] } | { budgetId: string }>;
  /** In picos. */
  amount: bigint;
  /** null: the budget's own where one is asked about, else the tenant's. */
  currency: string | null;
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
}>;

/** One applicable budget in the period that holds the moment asked about. Amounts in picos of the budget's currency. */
export type Standing = Readonly<{
  state: BudgetState;
  period: Period;
  /** With overrides and what was carried into the period; null is unlimited. */
  limit: bigint | null;
  spend: bigint;
  /** Held, also where that is decided and not folded yet. */
  reserved: bigint;
  /** Its past is still being added up. */
  counting: boolean;
  /** An event that it should count was set aside: what it would let pass is not known. */
  incomplete?: boolean;
  /** The amount asked about; null: no exchange rate covers it. */
  amount: bigint | null;
  /** What one unit of the currency asked in is worth here: makes room in two currencies comparable. At least 1. */
  unit: bigint;
}>;

/** RFC 3339. A period is one object for as long as it is asked for. */
export const endOf = readOnce(({ end }: Period): string => formatInstant(end));

/** What the standings are of, and when. */
export type Scene = Readonly<{ standings: readonly Standing[]; asked: Money; now: EpochNs }>;

export const blocks = ({ state }: Standing, now: EpochNs): boolean => isBlocking(state.definition, state.controls, now);

/** What may still be spent or held until it blocks; negative past that; null: endless. */
export const roomOf = ({ state, limit, spend, reserved }: Standing): bigint | null => {
  const point = blockPoint(state.definition, limit);
  return point === null ? null : point - spend - reserved;
};

/** It may refuse an amount: so it has to know what that is. */
export const weighs = (standing: Standing, now: EpochNs): boolean => blocks(standing, now) && roomOf(standing) !== null;

/** Of the effective limit, as status says it; null: nothing limits it. */
export const remainingOf = ({ limit, spend, reserved }: Standing): bigint | null => (limit === null ? null : limit - spend - reserved);

/** Those of its thresholds that ask something of whoever spends and are reached, by the limit there is at this moment. */
export const reachedGates = ({ state, spend, limit }: Standing): readonly ThresholdDefinition[] => {
  const gates = gatesAmong(state.definition.thresholds);
  return gates.length === 0 ? gates : gates.filter((threshold) => isReached(threshold, spend, limit));
};

/** Most only notify. */
const gatesAmong = readOnce((thresholds: readonly ThresholdDefinition[]): readonly ThresholdDefinition[] =>
  thresholds.filter(({ actions }) => actions.some((action) => action !== 'notify')),
);
