import { type EpochNs, parseInstant, type UsageRecordedEvent } from '@bursar/contracts';
import { type Charge, charge, convert } from '@bursar/contracts/folds';
import type { TenantHistory } from './tenant-history.js';

/** What a usage event came to, and from which position on it had a price; without a cost it still waits for one. */
export type SettledCharge = Readonly<{ charged: Charge; pricedAt: number; occurredAt: EpochNs }>;

/**
 * The charge of a usage event as the loop has made it by `through`: at its own position, else by the first price list that covered it.
 * The count of a past and a void ask this, so they add, and take back, what the loop does.
 */
export const settledCharge = (history: TenantHistory, usage: UsageRecordedEvent, through: number): SettledCharge => {
  const { definitions } = history;
  const occurredAt = parseInstant(usage.data.occurredAt);
  const own = charge(usage, definitions);
  if (own.cost !== null) return { charged: own, pricedAt: usage.position, occurredAt };
  for (const pricedAt of history.pricesBetween(usage.position, through)) {
    const later = charge(usage, definitions, usage.position, pricedAt);
    if (later.cost !== null) return { charged: later, pricedAt, occurredAt };
  }
  return { charged: own, pricedAt: Number.POSITIVE_INFINITY, occurredAt };
};

/** In a currency, in picos, by the first rate that covered it from when it had a price; null: by `through` it still waits. */
export const settledPicos = (
  history: TenantHistory,
  { charged: { cost }, pricedAt, occurredAt }: SettledCharge,
  currency: string,
  through: number,
): bigint | null => {
  if (cost === null || pricedAt > through) return null;
  if (cost.currency === currency) return cost.picos;
  for (const position of [pricedAt, ...history.ratesBetween(pricedAt, through)]) {
    const picos = convert(history.definitions, cost, currency, occurredAt, position);
    if (picos !== 'rate_missing') return picos;
  }
  return null;
};
