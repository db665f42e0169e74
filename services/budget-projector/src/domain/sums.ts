import { type EpochNs, MAX_BALANCE_PICOS } from '@bursar/contracts';

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
