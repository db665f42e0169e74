import { formatDecimal, readDecimal } from '../../values/decimal.js';
import { MONEY_SCALE, PICOS_PER_UNIT } from '../../values/money.js';
import { readAmountText } from '../fields/amount.js';
import { Complaint, type Reading, under } from '../fields/complaint.js';
import { readPlainText } from '../fields/text.js';
import { LIMITS, MAX_QUANTITY_PICOS } from './limits.js';

/** Up to 15 digits need no bigint to be known as canonical and in range. */
const SHORT_INTEGER = /^(?:0|[1-9][0-9]{0,14})$/;
const MAX_EXACT = 1e15;

export const isTokenCount = (name: string): boolean => name.endsWith('Tokens');

/** One quantity as canonical text: a decimal ≥ 0 below 2^63, whole for `*Tokens`. */
export const readQuantity = (name: string, value: unknown): Reading<string> => {
  if (typeof value === 'string' && SHORT_INTEGER.test(value)) return value;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < MAX_EXACT) return String(value);
  const text = readAmountText(value, { max: MAX_QUANTITY_PICOS });
  if (text instanceof Complaint) return text;
  return isTokenCount(name) && text.includes('.') ? new Complaint('not_an_integer', 'Tokens are whole') : text;
};

/** All quantities of an event, with the rules between them. The answer leaves out a `totalTokens` that its parts already say. */
export const readQuantities = (value: unknown): Reading<Record<string, string>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Complaint('wrong_type', 'Expected an object');
  const quantities: Record<string, string> = {};
  let count = 0;
  for (const name of Object.keys(value)) {
    count += 1;
    if (count > LIMITS.quantities) return new Complaint('too_many', `At most ${LIMITS.quantities} quantities`);
    const known = readName(name);
    if (known instanceof Complaint) return under(name, known);
    const quantity = readQuantity(name, (value as Record<string, unknown>)[name]);
    if (quantity instanceof Complaint) return under(name, quantity);
    quantities[name] = quantity;
  }
  return checkWholes(quantities);
};

const readName = (name: string): Reading<string> =>
  name === '__proto__' ? new Complaint('forbidden_key') : readPlainText(name, LIMITS.quantityName);

/** OpenTelemetry GenAI: input includes what was read from and written to a cache, output includes reasoning. */
const checkWholes = (quantities: Record<string, string>): Reading<Record<string, string>> => {
  const { inputTokens, outputTokens, totalTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = quantities;
  if ((cacheReadTokens ?? cacheWriteTokens) !== undefined && picos(cacheReadTokens) + picos(cacheWriteTokens) > picos(inputTokens)) {
    return new Complaint('parts_exceed_whole', 'cacheReadTokens + cacheWriteTokens > inputTokens', ['inputTokens']);
  }
  if (reasoningTokens !== undefined && picos(reasoningTokens) > picos(outputTokens)) {
    return new Complaint('parts_exceed_whole', 'reasoningTokens > outputTokens', ['outputTokens']);
  }
  if (totalTokens === undefined || (inputTokens ?? outputTokens) === undefined) return quantities;
  const sum = picos(inputTokens) + picos(outputTokens);
  if (picos(totalTokens) !== sum) {
    return new Complaint('total_mismatch', `totalTokens must be ${formatDecimal(sum, MONEY_SCALE)}`, ['totalTokens']);
  }
  const { totalTokens: _derived, ...rest } = quantities;
  return rest;
};

const picos = (text: string | undefined): bigint => {
  if (text === undefined) return 0n;
  if (text.length <= 15 && !text.includes('.')) return BigInt(text) * PICOS_PER_UNIT;
  const value = readDecimal(text, MONEY_SCALE);
  return typeof value === 'bigint' ? value : 0n; // canonical text is always a decimal
};
