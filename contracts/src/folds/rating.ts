import type { Price } from '../events/tenant.js';
import type { UsageData } from '../events/usage.js';
import { divideHalfEven, parseDecimal } from '../values/decimal.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import { MAX_EVENT_PICOS, type Money } from '../values/money.js';
import type { TenantDefinitions } from './definitions.js';
import { globMatches } from './glob.js';
import { DECIMAL_ONE, DECIMAL_SCALE, type PriceEntry, type PriceQuery } from './price-book.js';

/** A price that was used, for how much of which unit (scaled by 10^24: 1 is 10^24). */
export type AppliedPrice = Readonly<{ unit: string; quantity: bigint; listId: string; price: Price }>;
export type Rating = Readonly<{ cost: Money; prices: readonly AppliedPrice[] }> | Readonly<{ unpriced: readonly string[] }>;
export type Rateable = Pick<UsageData, 'meter' | 'quantities' | 'dimensions' | 'occurredAt'>;

/** Token counts that say no meter mean this one: quantities follow the OpenTelemetry GenAI names. */
const DEFAULT_METER = 'llm.tokens';

/** Wholes of the token family and the parts they include. `totalTokens` is the whole of both. */
const WHOLES = [
  { unit: 'inputTokens', parts: ['cacheReadTokens', 'cacheWriteTokens'] },
  { unit: 'outputTokens', parts: ['reasoningTokens'] },
] as const;
const TOTAL = 'totalTokens';
const FAMILY: ReadonlySet<string> = new Set([TOTAL, ...WHOLES.flatMap(({ unit, parts }) => [unit, ...parts])]);

/**
 * What the quantities cost by the price lists in force at `occurredAt` and known at `position` (Infinity: the newest), or which
 * units have no price. Exact; the event's cost alone is rounded, once, half-even at 10^-12. The lists' currency is the cost's.
 *
 * A part with its own price is carved out of its whole, else it goes at the whole's price; `totalTokens` = input + output is the
 * whole of both, so a list that prices only the total (`agents`) prices it, and nothing is ever charged twice.
 * Quantities of zero need no price. What has none gets the fallback price of the settings at `position`, where there is one.
 */
export const rate = (usage: Rateable, definitions: TenantDefinitions, position: number): Rating =>
  rateAt(usage, definitions, position, parseInstant(usage.occurredAt));

/**
 * {@link rate} for a caller that has read the instant already; `settingsAt`: where the usage is, when its prices came later; `listsAt`:
 * only by the lists that were there then.
 */
export const rateAt = (
  usage: Rateable,
  definitions: TenantDefinitions,
  position: number,
  occurredAt: EpochNs,
  settingsAt: number = position,
  listsAt?: number,
): Rating => {
  const quantities = readQuantities(usage.quantities ?? {});
  const { meter = DEFAULT_METER, dimensions = {} } = usage;
  const fallback = definitions.settings.fallbackAt(settingsAt);
  const query: Query = { meter, dimensions, quantities, occurredAt, position, listsAt, fallback };
  const lines = collect(definitions, query);
  const currencies = new Set(lines.priced.map(({ entry }) => entry.list.currency));
  if (lines.unpriced.length > 0) return { unpriced: lines.unpriced };
  if (currencies.size === 0) return sum([], definitions.settings.at(settingsAt).currency);
  if (currencies.size === 1) return sum(lines.priced);
  // One event costs in one currency: the strongest prices disagree, so the first currency that prices all of it wins.
  for (const currency of currencies) {
    const alone = collect(definitions, { ...query, currency });
    if (alone.unpriced.length === 0) return sum(alone.priced);
  }
  return { unpriced: [...quantities.keys()].filter((unit) => unit !== TOTAL && (quantities.get(unit) ?? 0n) > 0n) };
};

type Query = PriceQuery & Readonly<{ fallback: PriceEntry | undefined }>;
type Line = Readonly<{ unit: string; quantity: bigint; entry: PriceEntry }>;
type Lines = Readonly<{ priced: Line[]; unpriced: string[] }>;

/** Scaled by 10^24, with the derived total among them so that a `when` may ask for it. */
const readQuantities = (quantities: Readonly<Record<string, string>>): ReadonlyMap<string, bigint> => {
  const read = new Map<string, bigint>();
  for (const [unit, text] of Object.entries(quantities)) read.set(unit, scaledQuantity(text));
  let total = 0n;
  for (const { unit, parts } of WHOLES) total += wholeOf(read, unit, parts);
  if (total > (read.get(TOTAL) ?? 0n)) read.set(TOTAL, total);
  return read;
};

/** Most quantities are counts of a few digits, read here three times as fast as a general decimal. */
const scaledQuantity = (text: string): bigint =>
  SMALL_COUNT.test(text) ? BigInt(Number(text)) * DECIMAL_ONE : parseDecimal(text, DECIMAL_SCALE);
const SMALL_COUNT = /^[0-9]{1,15}$/;

/** Ingestion refuses parts that exceed their whole; a fold cannot, and takes the sum of the parts. */
const wholeOf = (quantities: ReadonlyMap<string, bigint>, unit: string, parts: readonly string[]): bigint => {
  const sumOfParts = parts.reduce((sum, part) => sum + (quantities.get(part) ?? 0n), 0n);
  const whole = quantities.get(unit) ?? 0n;
  return whole > sumOfParts ? whole : sumOfParts;
};

const collect = (definitions: TenantDefinitions, query: Query): Lines => {
  const lines: Lines = { priced: [], unpriced: [] };
  for (const [unit, quantity] of query.quantities) {
    if (FAMILY.has(unit) || quantity === 0n) continue;
    addLine(lines, query, unit, quantity, definitions.prices.find(unit, query));
  }
  if ((query.quantities.get(TOTAL) ?? 0n) > 0n) collectTokens(lines, definitions, query);
  return lines;
};

const collectTokens = (lines: Lines, definitions: TenantDefinitions, query: Query): void => {
  const ofTotal = definitions.prices.find(TOTAL, query);
  let rest = query.quantities.get(TOTAL) ?? 0n;
  let atTotal = 0n;
  for (const { unit, parts } of WHOLES) {
    const whole = wholeOf(query.quantities, unit, parts);
    rest -= whole;
    if (whole === 0n) continue;
    let left = whole;
    for (const part of parts) {
      const quantity = query.quantities.get(part) ?? 0n;
      const own = quantity === 0n ? undefined : definitions.prices.find(part, query);
      if (own === undefined) continue;
      addLine(lines, query, part, quantity, own);
      left -= quantity;
    }
    const entry = definitions.prices.find(unit, query);
    if (entry === undefined && ofTotal !== undefined) atTotal += left;
    else addLine(lines, query, unit, left, entry);
  }
  if (rest + atTotal > 0n) addLine(lines, query, TOTAL, rest + atTotal, ofTotal);
};

const addLine = (lines: Lines, query: Query, unit: string, quantity: bigint, found: PriceEntry | undefined): void => {
  const entry = found ?? fallbackFor(unit, query);
  if (entry === undefined) lines.unpriced.push(unit);
  else if (quantity > 0n) lines.priced.push({ unit, quantity, entry });
};

const fallbackFor = (unit: string, { fallback, currency = fallback?.list.currency }: Query): PriceEntry | undefined =>
  fallback !== undefined && fallback.list.currency === currency && globMatches(fallback.price.unit, unit) ? fallback : undefined;

/** One fraction over all lines, divided once. `currency` is that of nothing. */
const sum = (lines: readonly Line[], currency = lines[0]?.entry.list.currency ?? ''): Rating => {
  let numerator = 0n;
  let denominator = 1n;
  for (const { quantity, entry } of lines) {
    const product = quantity * entry.numerator;
    if (entry.denominator === denominator) numerator += product;
    else {
      numerator = numerator * entry.denominator + product * denominator;
      denominator *= entry.denominator;
    }
  }
  const picos = divideHalfEven(numerator, denominator * DECIMAL_ONE);
  // Beyond what one event may carry (RELIABILITY F39) it is not a cost anybody can count; it waits, named, for a sane price.
  if (picos > MAX_EVENT_PICOS) return { unpriced: lines.map(({ unit }) => unit) };
  const prices = lines.map(({ unit, quantity, entry: { list, price } }) => ({ unit, quantity, listId: list.listId, price }));
  return { cost: { picos, currency }, prices };
};
