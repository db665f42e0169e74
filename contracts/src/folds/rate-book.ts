import type { EventOf } from '../events/registry.js';
import { divideHalfEven, parseDecimal } from '../values/decimal.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import type { Money } from '../values/money.js';
import { DECIMAL_ONE, DECIMAL_SCALE } from './price-book.js';

type Rate = Readonly<{ position: number; effectiveFrom: EpochNs; scaled: bigint }>;

/** The exchange rates of one tenant, by pair, effective instant and position. */
export class RateBook {
  /** Latest effective first, then latest set. */
  readonly #rates = new Map<string, Rate[]>();

  apply(event: EventOf<'ExchangeRateSet'>): void {
    const { from, to, rate, effectiveFrom } = event.data;
    const pair = `${from}>${to}`;
    const rates = this.#rates.get(pair) ?? [];
    if (rates.some(({ position }) => position === event.position)) return;
    rates.push({ position: event.position, effectiveFrom: parseInstant(effectiveFrom), scaled: parseDecimal(rate, DECIMAL_SCALE) });
    rates.sort((a, b) => (a.effectiveFrom === b.effectiveFrom ? b.position - a.position : a.effectiveFrom < b.effectiveFrom ? 1 : -1));
    this.#rates.set(pair, rates);
  }

  /**
   * Picos of `to` for the amount, at the rate effective at `occurredAt` among those known at `position`: the pair's own, else the
   * opposite pair's inverse; half-even. The same currency, and nothing of any currency, need no rate.
   */
  convert({ picos, currency }: Money, to: string, occurredAt: EpochNs, position: number): bigint | 'rate_missing' {
    if (currency === to || picos === 0n) return picos;
    const direct = this.#find(`${currency}>${to}`, occurredAt, position);
    if (direct !== undefined) return divideHalfEven(picos * direct.scaled, DECIMAL_ONE);
    const inverse = this.#find(`${to}>${currency}`, occurredAt, position);
    return inverse === undefined ? 'rate_missing' : divideHalfEven(picos * DECIMAL_ONE, inverse.scaled);
  }

  #find(pair: string, occurredAt: EpochNs, position: number): Rate | undefined {
    return this.#rates.get(pair)?.find((rate) => rate.effectiveFrom <= occurredAt && rate.position <= position && rate.scaled > 0n);
  }
}
