import { z } from 'zod';
import { MAX_BALANCE_PICOS } from '../../values/money.js';
import { type AmountBounds, amountText, currencyCode, readAmountText, readCurrency } from './amount.js';
import { Complaint, type Reading, under } from './complaint.js';
import { type Field, field } from './field.js';

/** An amount whose currency may be understood from where it stands. */
export type SpokenAmount = Readonly<{ amount: string; currency?: string }>;

/** A budget's limit: `{"amount": "1000", "currency": "EUR"}`; null, or an amount of null, is unlimited (the latter keeps a currency). */
export const Limit = z
  .strictObject({ amount: amountText({ max: MAX_BALANCE_PICOS }).nullable(), currency: currencyCode.optional() })
  .nullable()
  .transform((limit): { amount: string | null; currency?: string } => limit ?? { amount: null })
  .meta({ id: 'Limit', description: 'null is unlimited, 0 is zero' });

/** Where an object's own field is called `amount` both ways of writing it are met: `"400"` and `{"amount": "400", "currency": "EUR"}`. */
export const spokenAmount = (bounds: AmountBounds = {}): Field<SpokenAmount> =>
  field(
    {
      description: 'A decimal, or a Money object',
      anyOf: [{ type: 'string' }, { type: 'number' }, { $ref: '#/$defs/Money' }],
    },
    (value) => readSpoken(value, { max: MAX_BALANCE_PICOS, ...bounds }),
  );

const readSpoken = (value: unknown, bounds: AmountBounds): Reading<SpokenAmount> => {
  if (typeof value !== 'object' || value === null || !('amount' in value)) {
    const amount = readAmountText(value, bounds);
    return amount instanceof Complaint ? amount : { amount };
  }
  const { amount: sent, currency: named, ...rest } = value as { amount: unknown; currency?: unknown };
  const [other] = Object.keys(rest);
  if (other !== undefined) return new Complaint('unknown_field', `Unknown field ${JSON.stringify(other.slice(0, 64))}`, [other]);
  const amount = readAmountText(sent, bounds);
  if (amount instanceof Complaint) return under('amount', amount);
  if (named === undefined) return { amount };
  const currency = readCurrency(named);
  return currency instanceof Complaint ? under('currency', currency) : { amount, currency };
};
