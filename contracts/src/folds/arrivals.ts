import type { LedgerEvent } from '../events/registry.js';
import type { UsageRecordedEvent } from '../events/usage.js';
import { shareOf } from './allocation.js';
import type { BudgetState } from './budget-book.js';
import { type Charge, charge } from './charge.js';
import { convertCharge } from './convert-charge.js';
import { type Correction, standing } from './corrections.js';
import type { TenantDefinitions } from './definitions.js';
import type { PriceEvent } from './price-book.js';

/** Positions at which usage that waits for a price or a rate may become chargeable. The events may come in any order, and twice. */
export class Arrivals {
  readonly #prices: number[] = [];
  readonly #rates: number[] = [];
  readonly #recordedAt = new Map<number, string>();

  apply(event: LedgerEvent): void {
    const isPrice = completesPrices(event);
    if (isPrice) insert(this.#prices, event.position);
    if (event.type === 'ExchangeRateSet') insert(this.#rates, event.position);
    if (isPrice || event.type === 'ExchangeRateSet') this.#recordedAt.set(event.position, event.recordedAt);
  }

  /** When what arrived at the position was recorded; undefined where nothing arrived. */
  recordedAt(position: number): string | undefined {
    return this.#recordedAt.get(position);
  }

  /** Where whole price lists came in after `position`, up to `through`. */
  prices(position: number, through: number): readonly number[] {
    return this.#prices.filter((at) => at > position && at <= through);
  }

  /** Where exchange rates came in after `position`, up to `through`. */
  rates(position: number, through: number): readonly number[] {
    return this.#rates.filter((at) => at > position && at <= through);
  }
}

/** Usage is never priced by half a list: only its last part counts as an arrival of prices. */
export const completesPrices = (event: LedgerEvent): event is PriceEvent =>
  (event.type === 'PriceListCreated' || event.type === 'PricesAdded' || event.type === 'PricesCorrected') && event.data.more !== true;

const insert = (positions: number[], position: number): void => {
  if (positions.includes(position)) return;
  positions.push(position);
  positions.sort((a, b) => a - b);
};

/** A charge once it has a cost, and the position that gave it one first: its own, that of the first price list that covered it, or of a correction. */
export type Settled = Readonly<{ charged: Charge; pricedAt: number | null }>;

const NONE: readonly Correction[] = [];

/**
 * What the live fold has made of a usage event by `through`. `pricedAt` null: it still waits for a price then. Of its corrections up to
 * there the last cost stands, at the exchange rates of the first; a void is not looked at: it takes back what this says.
 */
export const settledCharge = (
  usage: UsageRecordedEvent,
  definitions: TenantDefinitions,
  arrivals: Arrivals,
  through: number = Number.POSITIVE_INFINITY,
  corrections: readonly Correction[] = NONE,
): Settled => {
  const recorded = settledByPrices(usage, definitions, arrivals, through);
  if (corrections.length === 0) return recorded;
  const costs = standing(corrections, through).filter(({ cost }) => cost !== null);
  const [first, last] = [costs[0], costs.at(-1)];
  if (first === undefined || last === undefined) return recorded;
  const pricedAt = recorded.pricedAt === null ? first.at : Math.min(recorded.pricedAt, first.at);
  return { charged: { ...recorded.charged, cost: last.cost, unpriced: [] }, pricedAt };
};

/** But for corrections. */
const settledByPrices = (usage: UsageRecordedEvent, definitions: TenantDefinitions, arrivals: Arrivals, through: number): Settled => {
  const own = charge(usage, definitions);
  if (own.cost !== null) return { charged: own, pricedAt: usage.position };
  for (const position of arrivals.prices(usage.position, through)) {
    const later = charge(usage, definitions, usage.position, position);
    if (later.cost !== null) return { charged: later, pricedAt: position };
  }
  return { charged: own, pricedAt: null };
};

/** A budget's share of the cost in its currency, by the first rate that covered it, and the position that settled it; null: it still waits at `through`. */
export const settledCost = (
  { charged, pricedAt }: Settled,
  usage: UsageRecordedEvent,
  { currency, scopes }: Pick<BudgetState, 'currency' | 'scopes'>,
  definitions: TenantDefinitions,
  arrivals: Arrivals,
  through: number = Number.POSITIVE_INFINITY,
): Readonly<{ picos: bigint; at: number }> | null => {
  if (charged.cost === null || pricedAt === null) return null;
  const share = (picos: bigint): bigint => shareOf(charged.split, scopes, picos);
  if (charged.cost.currency === currency) return { picos: share(charged.cost.picos), at: pricedAt };
  for (const at of [pricedAt, ...arrivals.rates(pricedAt, through)]) {
    const picos = convertCharge(definitions, charged.cost, currency, charged, usage, at);
    if (picos !== 'rate_missing') return { picos: share(picos), at };
  }
  return null;
};
