import type { BudgetDefinition, EpochNs, Period } from '@bursar/contracts';
import { type BudgetControls, rolledOver, rolloverChain, type Terms } from '@bursar/contracts/folds';

/** A budget as it was at some moment. */
export type BudgetThen = Readonly<{ definition: BudgetDefinition; controls: BudgetControls; terms: readonly Terms[]; createdAt: EpochNs }>;

/** What was charged to a period, in picos of the budget's currency. */
export type Sums = Readonly<{ spend: bigint; events: number; failedSpend: bigint; failedEvents: number; reserved: bigint }>;
export const NO_SUMS: Sums = { spend: 0n, events: 0, failedSpend: 0n, failedEvents: 0, reserved: 0n };

/** A budget and its balances on one snapshot of the projection. */
export type View = Readonly<{
  tenant: string;
  budgetId: string;
  /** Version of the time zone data that boundaries are computed with. */
  timeZoneData: string;
  /** The position that the snapshot is of. */
  through: number;
  now: BudgetThen;
  /** By what was recorded before the instant. */
  before: (instant: EpochNs) => BudgetThen;
  /** Of the period that starts there; nothing was charged to one that has no balance. */
  sums: (start: EpochNs) => Sums;
}>;

/** The periods whose balances are needed to say what a period had left, itself first. */
export const balancesFor = (budget: BudgetThen, period: Period): readonly Period[] => [period, ...rolloverChain(budget, period)];

/** What the periods before left for this one. */
export const carriedInto = ({ now, sums }: View, period: Period): bigint =>
  rolledOver(now.terms, now.definition.limit.currency, rolloverChain(now, period), ({ start }) => sums(start).spend);
