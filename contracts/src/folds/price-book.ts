import type { EventOf } from '../events/registry.js';
import type { Price } from '../events/tenant.js';
import { parseDecimal } from '../values/decimal.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import { PICOS_PER_UNIT } from '../values/money.js';
import { globMatches, isPattern } from './glob.js';

export type PriceEvent = EventOf<'PriceListCreated' | 'PricesAdded' | 'PricesCorrected'>;

/** Fraction digits of prices, rates and quantities. */
export const DECIMAL_SCALE = 24;
export const DECIMAL_ONE = 10n ** BigInt(DECIMAL_SCALE);

export type PriceList = Readonly<{ listId: string; name: string; currency: string; effectiveFrom: EpochNs; createdPosition: number }>;

/** One price, ready to use: picos per unit = numerator ÷ denominator, exactly. */
export type PriceEntry = Readonly<{
  list: PriceList;
  price: Price;
  /** Known from this position on. */
  position: number;
  /** Place among the prices of its event. */
  index: number;
  numerator: bigint;
  denominator: bigint;
  conditions: readonly Condition[];
  matchedKeys: readonly string[];
  patterns: number;
}>;

type Condition = Readonly<{ unit: string; relation: 'gt' | 'gte' | 'lt' | 'lte'; bound: bigint }>;

/** What an event offers to the competition of prices. Quantities are scaled by 10^24. */
export type PriceQuery = Readonly<{
  meter: string;
  dimensions: Readonly<Record<string, string>>;
  quantities: ReadonlyMap<string, bigint>;
  occurredAt: EpochNs;
  /** Prices known at it. */
  position: number;
  /** Only lists that were there at this position; absent: those there at `position`. Rerating asks for the lists of then with the prices of now. */
  listsAt?: number | undefined;
  /** Only lists in this currency. */
  currency?: string;
}>;

/** The price lists of one tenant, found by meter, unit and exact match: a list of 7,000 prices costs a few map look-ups. */
export class PriceBook {
  readonly #lists = new Map<string, PriceList>();
  readonly #early = new Map<string, EventOf<'PricesAdded' | 'PricesCorrected'>[]>();
  readonly #positions = new Set<number>();
  #corrections: readonly number[] = [];
  #last = 0;
  readonly #units = new Map<string, Map<string, UnitPrices>>();

  apply(event: PriceEvent): void {
    if (this.#positions.has(event.position)) return;
    this.#positions.add(event.position);
    this.#last = Math.max(this.#last, event.position);
    if (event.type === 'PricesCorrected') this.#corrections = [...this.#corrections, event.position].sort((a, b) => a - b);
    const { listId, prices } = event.data;
    if (event.type === 'PriceListCreated') {
      const { name, currency, effectiveFrom } = event.data;
      const list = { listId, name, currency, effectiveFrom: parseInstant(effectiveFrom), createdPosition: event.position };
      this.#lists.set(listId, list);
      this.#add(list, prices, event.position);
      for (const early of this.#early.get(listId) ?? []) this.#add(list, early.data.prices, early.position);
      this.#early.delete(listId);
      return;
    }
    const list = this.#lists.get(listId);
    if (list === undefined) this.#early.set(listId, [...(this.#early.get(listId) ?? []), event]);
    else this.#add(list, prices, event.position);
  }

  /** Position of the last event that is in; 0 when none is. */
  get lastPosition(): number {
    return this.#last;
  }

  /** Were prices corrected after one position, up to another? Then what was rated by those of the first is not what the second says. */
  correctedBetween(after: number, through: number): boolean {
    return this.#corrections.some((at) => at > after && at <= through);
  }

  list(listId: string): PriceList | undefined {
    return this.#lists.get(listId);
  }

  /** The price that wins for one unit, by the rule of API.md "Usage"; undefined when none applies. */
  find(unit: string, query: PriceQuery): PriceEntry | undefined {
    return this.#units.get(query.meter)?.get(unit)?.find(query);
  }

  #add(list: PriceList, prices: readonly Price[], position: number): void {
    for (const [index, price] of prices.entries()) {
      const units = this.#units.get(price.meter) ?? new Map<string, UnitPrices>();
      this.#units.set(price.meter, units);
      const unit = units.get(price.unit) ?? new UnitPrices();
      units.set(price.unit, unit);
      unit.add(toEntry(list, price, position, index));
    }
  }
}

/** Prices of one unit of one meter, each bucket with its strongest first. */
class UnitPrices {
  /** Prices without patterns, by the set of keys they match and then by the values of those keys. */
  readonly #exact = new Map<string, { keys: readonly string[]; byValues: Map<string, PriceEntry[]> }>();
  readonly #patterns: PriceEntry[] = [];

  add(entry: PriceEntry): void {
    if (entry.patterns > 0) {
      insertSorted(this.#patterns, entry);
      return;
    }
    const shapeKey = valuesKey(entry.matchedKeys);
    const shape = this.#exact.get(shapeKey) ?? { keys: entry.matchedKeys, byValues: new Map<string, PriceEntry[]>() };
    this.#exact.set(shapeKey, shape);
    const key = valuesKey(entry.matchedKeys.map((name) => entry.price.match[name] ?? ''));
    const bucket = shape.byValues.get(key) ?? [];
    shape.byValues.set(key, bucket);
    insertSorted(bucket, entry);
  }

  find(query: PriceQuery): PriceEntry | undefined {
    let best: PriceEntry | undefined;
    for (const { keys, byValues } of this.#exact.values()) {
      const key = dimensionsKey(keys, query.dimensions);
      const found = key === undefined ? undefined : byValues.get(key)?.find((entry) => isInForce(entry, query));
      if (found !== undefined && (best === undefined || compareEntries(found, best) < 0)) best = found;
    }
    const found = this.#patterns.find((entry) => isInForce(entry, query) && matches(entry, query.dimensions));
    return best === undefined || (found !== undefined && compareEntries(found, best) < 0) ? found : best;
  }
}

/** A price of a list, ready to use. */
export const toEntry = (list: PriceList, price: Price, position: number, index: number): PriceEntry => {
  const amount = parseDecimal(price.amount, DECIMAL_SCALE) * PICOS_PER_UNIT;
  const per = DECIMAL_ONE * BigInt(price.per);
  const divisor = greatestCommonDivisor(amount, per);
  const matchedKeys = Object.keys(price.match).sort();
  const conditions = Object.entries(price.when ?? {}).flatMap(([unit, bounds]) =>
    (['gt', 'gte', 'lt', 'lte'] as const).flatMap((relation) => {
      const bound = bounds[relation];
      return bound === undefined ? [] : [{ unit, relation, bound: parseDecimal(bound, DECIMAL_SCALE) }];
    }),
  );
  const patterns = matchedKeys.filter((key) => isPattern(price.match[key] ?? '')).length;
  return { list, price, position, index, numerator: amount / divisor, denominator: per / divisor, conditions, matchedKeys, patterns };
};

const greatestCommonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestCommonDivisor(b, a % b));

/** Negative when `a` wins: a condition first, then more matched keys, fewer patterns, later in force, later created. */
const compareEntries = (a: PriceEntry, b: PriceEntry): number =>
  Math.sign(b.conditions.length) - Math.sign(a.conditions.length) ||
  b.matchedKeys.length - a.matchedKeys.length ||
  a.patterns - b.patterns ||
  Number(b.list.effectiveFrom > a.list.effectiveFrom) - Number(b.list.effectiveFrom < a.list.effectiveFrom) ||
  b.list.createdPosition - a.list.createdPosition ||
  b.position - a.position ||
  b.index - a.index;

/**
 * Known, effective, in the currency asked for, and its condition (all of it) satisfied. A price that was corrected needs no end: the
 * corrected one is the same to {@link compareEntries} but for being known later, which wins.
 */
const isInForce = (entry: PriceEntry, { occurredAt, position, listsAt = position, currency, quantities }: PriceQuery): boolean =>
  entry.position <= position &&
  entry.list.createdPosition <= listsAt &&
  entry.list.effectiveFrom <= occurredAt &&
  (currency === undefined || entry.list.currency === currency) &&
  entry.conditions.every(({ unit, relation, bound }) => holds(quantities.get(unit) ?? 0n, relation, bound));

const holds = (quantity: bigint, relation: Condition['relation'], bound: bigint): boolean => {
  switch (relation) {
    case 'gt':
      return quantity > bound;
    case 'gte':
      return quantity >= bound;
    case 'lt':
      return quantity < bound;
    case 'lte':
      return quantity <= bound;
  }
};

/** Every key of the match is a dimension of the event and its value fits. */
const matches = (entry: PriceEntry, dimensions: Readonly<Record<string, string>>): boolean =>
  entry.matchedKeys.every((key) => {
    const value = dimensions[key];
    return typeof value === 'string' && globMatches(entry.price.match[key] ?? '', value);
  });

/** Lengths keep ["a", "bc"] and ["ab", "c"] apart whatever characters they hold. */
const valuesKey = (values: readonly string[]): string =>
  values.length === 1 ? (values[0] ?? '') : values.map((value) => `${value.length}:${value}`).join('');

const dimensionsKey = (keys: readonly string[], dimensions: Readonly<Record<string, string>>): string | undefined => {
  const values: string[] = [];
  for (const key of keys) {
    const value = dimensions[key];
    if (typeof value !== 'string') return undefined;
    values.push(value);
  }
  return valuesKey(values);
};

const insertSorted = (bucket: PriceEntry[], entry: PriceEntry): void => {
  let low = 0;
  let high = bucket.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = bucket[middle];
    if (there !== undefined && compareEntries(there, entry) < 0) low = middle + 1;
    else high = middle;
  }
  bucket.splice(low, 0, entry);
};
