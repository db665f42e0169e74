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
  /** When usage last happened, whether it waits, was voided, or counts. */
  lastUsageAt: EpochNs | null;
};

export const noSums = (): Sums => ({ spend: 0n, events: 0, failedSpend: 0n, failedEvents: 0, waiting: 0, lastUsageAt: null });

/** One amount on its way into a balance. `picos` null: it waits. */
export type Amount = Readonly<{ picos: bigint | null; failed: boolean; effectiveAt: EpochNs }>;

export const addAmount = (sums: Sums, amount: Amount): void => {
  shift(sums, amount, 1);
  // Also when it waits or is voided later: so it does not matter in which order that becomes known.
  if (sums.lastUsageAt === null || amount.effectiveAt > sums.lastUsageAt) sums.lastUsageAt = amount.effectiveAt;
};

/** What was added is taken back: it was voided. */
export const takeAmount = (sums: Sums, amount: Amount): void => shift(sums, amount, -1);

/** It costs something else than it was added at. When it happened stays. */
export const replaceAmount = (sums: Sums, before: Amount, after: Amount): void => {
  shift(sums, before, -1);
  shift(sums, after, 1);
};

const shift = (sums: Sums, { picos, failed }: Amount, sign: 1 | -1): void => {
  if (picos === null) {
    sums.waiting += sign;
    return;
  }
  const signed = sign === 1 ? picos : -picos;
  sums.spend += signed;
  sums.events += sign;
  if (failed) {
    sums.failedSpend += signed;
    sums.failedEvents += sign;
  }
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
