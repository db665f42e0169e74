import { parseDecimal } from '../../values/decimal.js';
import { InexactNumber, isCurrency, MONEY_SCALE, PICOS_PER_UNIT } from '../../values/money.js';
import type { ScopeRef } from '../../values/scope.js';
import { readAmountText } from '../fields/amount.js';
import { Complaint, type Reading, under } from '../fields/complaint.js';
import { readScopeText } from '../fields/scope.js';
import { readFreeText, readPlainText } from '../fields/text.js';
import { readInstantText } from '../fields/time.js';
import { LIMITS } from './limits.js';

/** Readers of the parts of a usage event: used by the zod schema and, without zod, by the hot path. */

type Dictionary = Record<string, unknown>;
export const isDictionary = (value: unknown): value is Dictionary =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber);
const notAnObject = (): Complaint => new Complaint('wrong_type', 'Expected an object');

/** Each scope once, in the order sent. */
export const readScopes = (value: unknown): Reading<readonly ScopeRef[]> => {
  if (!Array.isArray(value)) return new Complaint('wrong_type', 'Expected an array');
  if (value.length === 0) return new Complaint('too_few', 'At least one scope');
  if (value.length > LIMITS.scopes) return new Complaint('too_many', `At most ${LIMITS.scopes} scopes`);
  const scopes: ScopeRef[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const scope = readScopeText(value[index]);
    if (scope instanceof Complaint) return under(index, scope);
    if (!scopes.includes(scope)) scopes.push(scope);
  }
  return scopes;
};

/** Below 10^12 units and canonical already: most costs. */
const CANONICAL_AMOUNT = /^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{0,11}[1-9])?$/;

export const readCost = (value: unknown): Reading<{ amount: string; currency?: string }> => {
  if (!isDictionary(value)) return notAnObject();
  for (const key of Object.keys(value)) {
    if (key !== 'amount' && key !== 'currency')
      return new Complaint('unknown_field', `Unknown field ${JSON.stringify(key.slice(0, 64))}`, [key]);
  }
  const { amount: sent, currency } = value;
  const quick = typeof sent === 'string' && sent.length <= 26 && CANONICAL_AMOUNT.test(sent);
  const amount = quick ? sent : sent === undefined ? new Complaint('required') : readAmountText(sent);
  if (amount instanceof Complaint) return under('amount', amount);
  if (currency === undefined) return { amount };
  return isCurrency(currency) ? { amount, currency } : new Complaint('currency', undefined, ['currency']);
};

export const readDimensions = (value: unknown): Reading<Record<string, string>> => {
  if (!isDictionary(value)) return notAnObject();
  const dimensions: Record<string, string> = {};
  let count = 0;
  for (const key of Object.keys(value)) {
    count += 1;
    if (count > LIMITS.dimensions) return new Complaint('too_many', `At most ${LIMITS.dimensions} dimensions`);
    const known = key === '__proto__' ? new Complaint('forbidden_key') : readPlainText(key, LIMITS.dimensionKey);
    if (known instanceof Complaint) return under(key, known);
    const text = readFreeText(value[key], LIMITS.dimensionValue);
    if (text instanceof Complaint) return under(key, text);
    dimensions[key] = text;
  }
  return dimensions;
};

/** Splits one cost: percentages that sum to exactly 100, each scope once. */
export const readAllocation = (value: unknown): Reading<readonly { scope: ScopeRef; percent: string }[]> => {
  if (!Array.isArray(value)) return new Complaint('wrong_type', 'Expected an array');
  if (value.length === 0) return new Complaint('too_few', 'At least one share');
  if (value.length > LIMITS.allocation) return new Complaint('too_many', `At most ${LIMITS.allocation} shares`);
  const shares: { scope: ScopeRef; percent: string }[] = [];
  let sum = 0n;
  for (let index = 0; index < value.length; index += 1) {
    const share = readShare(value[index]);
    if (share instanceof Complaint) return under(index, share);
    if (shares.some(({ scope }) => scope === share.scope)) return new Complaint('duplicate', 'The same scope twice', [index, 'scope']);
    sum += parseDecimal(share.percent, MONEY_SCALE);
    shares.push(share);
  }
  return sum === 100n * PICOS_PER_UNIT ? shares : new Complaint('allocation_sum');
};

const readShare = (value: unknown): Reading<{ scope: ScopeRef; percent: string }> => {
  if (!isDictionary(value)) return notAnObject();
  const unknown = Object.keys(value).find((key) => key !== 'scope' && key !== 'percent');
  if (unknown !== undefined) return new Complaint('unknown_field', `Unknown field ${JSON.stringify(unknown.slice(0, 64))}`, [unknown]);
  const scope = value.scope === undefined ? new Complaint('required') : readScopeText(value.scope);
  if (scope instanceof Complaint) return under('scope', scope);
  const percent =
    value.percent === undefined ? new Complaint('required') : readAmountText(value.percent, { positive: true, max: 100n * PICOS_PER_UNIT });
  return percent instanceof Complaint ? under('percent', percent) : { scope, percent };
};

/** Free JSON, at most 4 KB. Its numbers are no amounts: one that JSON cannot keep is hashed and stored as the nearest that it can. */
export const readMetadata = (value: unknown): Reading<Readonly<Dictionary>> => {
  if (!isDictionary(value)) return notAnObject();
  const text = JSON.stringify(value);
  if (text.length > LIMITS.metadataBytes || Buffer.byteLength(text) > LIMITS.metadataBytes) {
    return new Complaint('too_long', `Longer than ${LIMITS.metadataBytes} bytes as JSON`);
  }
  if (Object.hasOwn(value, '__proto__')) return new Complaint('forbidden_key');
  const storable = !text.includes('\\u') || !UNSTORABLE.test(text);
  return storable ? value : new Complaint('text_format', 'Holds NUL or half a surrogate pair');
};

/** As JSON.stringify writes them: an escape that no even run of backslashes disarms. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

const UTC_TEXT = /^([0-9]{4})-[0-9]{2}-([0-9]{2})T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$/;

/** {@link readInstantText} with a short way for what most producers send: whole seconds or milliseconds in UTC. */
export const readOccurredAt = (value: unknown): Reading<string> => {
  if (typeof value === 'string' && (value.length === 20 || value.length === 24)) {
    const match = UTC_TEXT.exec(value);
    if (match !== null && Number(match[2]) <= 28 && !value.endsWith('.000Z')) {
      // Days up to 28 exist in every month, so nothing here can roll over; hours and the rest are checked by Date.
      const year = Number(match[1]);
      if (year >= 1970 && year <= 9998 && !Number.isNaN(Date.parse(value)) && value.slice(11, 13) !== '24' && value.slice(8, 10) !== '00')
        return value;
    }
  }
  return readInstantText(value);
};
