import { type EpochNs, formatInstant, MAX_BALANCE_PICOS, type Period } from '@bursar/contracts';
import type { ThresholdState } from '@bursar/contracts/folds';
import type { BudgetFold } from './budget-fold.js';

/** What was charged to a budget in a period. Amounts in picos of the budget's currency. */
export type Sums = {
  /** Failed usage included: it cost money too. */
  spend: bigint;
  events: number;
  failedSpend: bigint;
  failedEvents: number;
  /** Usage that has no price or no exchange rate yet; not in `events`. */
  waiting: number;
  lastUsageAt: EpochNs | null;
};

export const noSums = (): Sums => ({ spend: 0n, events: 0, failedSpend: 0n, failedEvents: 0, waiting: 0, lastUsageAt: null });

/** One amount on its way into a balance. `picos` null: it waits. */
export type Amount = Readonly<{ picos: bigint | null; failed: boolean; effectiveAt: EpochNs }>;

export const addAmount = (sums: Sums, { picos, failed, effectiveAt }: Amount): void => {
  if (picos === null) {
    sums.waiting += 1;
    return;
  }
  sums.spend += picos;
  sums.events += 1;
  if (failed) {
    sums.failedSpend += picos;
    sums.failedEvents += 1;
  }
  if (sums.lastUsageAt === null || effectiveAt > sums.lastUsageAt) sums.lastUsageAt = effectiveAt;
};

export const addSums = (into: Sums, more: Readonly<Sums>): void => {
  into.spend += more.spend;
  into.events += more.events;
  into.failedSpend += more.failedSpend;
  into.failedEvents += more.failedEvents;
  into.waiting += more.waiting;
  if (more.lastUsageAt !== null && (into.lastUsageAt === null || more.lastUsageAt > into.lastUsageAt)) into.lastUsageAt = more.lastUsageAt;
};

/** A balance would leave what NUMERIC(38,12) and the product promise (RELIABILITY F39): refused whole, never clamped. */
export class BalanceOverflowError extends Error {
  override readonly name = 'BalanceOverflowError';
  constructor(readonly budgetId: string) {
    super(`the balance of budget ${budgetId} would pass the largest amount`);
  }
}

export const fits = (spend: bigint): boolean => spend <= MAX_BALANCE_PICOS;

/** One budget's period in memory: its balance and the state of its thresholds. Changed in place; the fold owns it. */
export class PeriodState {
  readonly sums: Sums = noSums();
  /** No entry: armed, first episode. */
  readonly thresholds = new Map<string, ThresholdState>();
  /** Position of the last event that changed it, and when that was recorded. 0: never, there is no row. */
  position = 0;
  updatedAt = '';
  /** Below this spend no armed threshold is reached; null: none is left to reach; undefined: to be computed. */
  nextCrossing: bigint | null | undefined = undefined;
  /** Number of the fold step that used it last: what an eviction goes by. */
  usedAt = 0;
  readonly startText: string;
  readonly endText: string;

  constructor(
    readonly budget: BudgetFold,
    readonly period: Period,
  ) {
    this.startText = formatInstant(period.start);
    this.endText = formatInstant(period.end);
  }
}
