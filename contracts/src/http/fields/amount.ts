import { z } from 'zod';
import { formatDecimal } from '../../values/decimal.js';
import { InexactNumber, isCurrency, MAX_EVENT_PICOS, MONEY_SCALE, PICOS_PER_UNIT, readAmount } from '../../values/money.js';
import { Complaint, type Reading } from './complaint.js';
import { type Field, field } from './field.js';

/** Bounds of an amount, both in units of 10^-scale. */
export type AmountBounds = Readonly<{ scale?: number; max?: bigint; positive?: boolean }>;

/** The canonical text of an amount ≥ 0 (> 0 if `positive`). By default money of one event: 12 fraction digits, at most 10^12 units. */
export const readAmountText = (
  value: unknown,
  { scale = MONEY_SCALE, max = MAX_EVENT_PICOS, positive = false }: AmountBounds = {},
): Reading<string> => {
  const scaled = readAmount(value, scale);
  if (typeof scaled !== 'bigint') {
    return scaled === 'scale' ? new Complaint('scale', `More than ${scale} fraction digits`) : new Complaint(scaled);
  }
  if (scaled < 0n) return new Complaint('negative');
  if (positive && scaled === 0n) return new Complaint('not_positive');
  if (scaled > max) return new Complaint('too_large');
  return formatDecimal(scaled, scale);
};

const DECIMAL = '^(0|[1-9][0-9]*)(\\.[0-9]+)?$';

/** A decimal as string or JSON number, canonical text inside. */
export const amountText = (bounds: AmountBounds = {}, keywords: Readonly<Record<string, unknown>> = {}): Field<string> =>
  field(
    {
      oneOf: [
        { type: 'string', pattern: DECIMAL, maxLength: 80 },
        { type: 'number', minimum: 0 },
      ],
      ...keywords,
    },
    (value) => readAmountText(value, bounds),
  );

export const readCurrency = (value: unknown): Reading<string> => (isCurrency(value) ? value : new Complaint('currency'));

/** ISO 4217, upper case. */
export const currencyCode = field(
  { id: 'Currency', type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217 code', examples: ['USD'] },
  readCurrency,
);

/** Money of one event: `{"amount": "12.50", "currency": "USD"}`; the currency defaults to the tenant's, so it stays absent here. */
export const EventMoney = z.strictObject({ amount: amountText(), currency: currencyCode.optional() }).meta({ id: 'Money' });

/** A percentage as canonical text, 0 < p ≤ max, up to 12 fraction digits. */
export const percentText = (max: number): Field<string> =>
  amountText({ positive: true, max: BigInt(max) * PICOS_PER_UNIT }, { description: `More than 0, at most ${max}` });

/** A number that is stored as a JSON number (percentages of levels and the block point): at most 15 significant digits. */
export const smallNumber = (min: number, max: number): Field<number> =>
  field({ type: 'number', minimum: min, maximum: max }, (value) => {
    const text = typeof value === 'number' ? readAmountText(value, { max: BigInt(max) * PICOS_PER_UNIT }) : notANumber(value);
    if (text instanceof Complaint) return text;
    return Number(text) < min ? new Complaint('too_small', `Less than ${min}`) : Number(text);
  });

/** A whole number from min to max. */
export const wholeNumber = (min: number, max: number): Field<number> =>
  field({ type: 'integer', minimum: min, maximum: max }, (value) => {
    if (typeof value !== 'number') return notANumber(value);
    if (!Number.isInteger(value)) return new Complaint('not_an_integer');
    if (value > max) return new Complaint('too_large', `More than ${max}`);
    return value < min ? new Complaint('too_small', `Less than ${min}`) : value;
  });

const notANumber = (value: unknown): Complaint =>
  value instanceof InexactNumber
    ? new Complaint('amount_format', 'An exponent or too many digits')
    : new Complaint('wrong_type', 'Expected a number');
