import { z } from 'zod';
import type { Price } from '../../events/tenant.js';
import { SHIPPED_LISTS } from '../../folds/shipped-lists.js';
import { amountText, currencyCode, readAmountText, wholeNumber } from '../fields/amount.js';
import { Complaint, type Reading, under } from '../fields/complaint.js';
import { coded, field, obeying } from '../fields/field.js';
import { flag, label, oneOf, plainText, readPlainText } from '../fields/text.js';
import { instantText } from '../fields/time.js';
import { LIMITS } from '../usage/limits.js';
import { isDictionary, readDimensions } from '../usage/parts.js';

/** Prices and rates keep up to 24 fraction digits (API.md). */
export const PRICE_SCALE = 24;
const MAX_PRICE = 10n ** 12n * 10n ** BigInt(PRICE_SCALE);
const priceAmount = amountText({ scale: PRICE_SCALE, max: MAX_PRICE });

type When = NonNullable<Price['when']>;
const COMPARISONS = ['gt', 'gte', 'lt', 'lte'] as const;

/** Conditions on quantities: `{"inputTokens": {"gt": 272000}}`. */
const when = field<When>(
  { type: 'object', minProperties: 1, maxProperties: 16, additionalProperties: { $ref: '#/$defs/QuantityCondition' } },
  (value) => {
    if (!isDictionary(value)) return new Complaint('wrong_type', 'Expected an object');
    const entries = Object.entries(value);
    if (entries.length === 0 || entries.length > 16)
      return new Complaint(entries.length === 0 ? 'too_few' : 'too_many', '1 to 16 conditions');
    const conditions = new Map<string, When[string]>();
    for (const [name, sent] of entries) {
      const known = name === '__proto__' ? new Complaint('forbidden_key') : readPlainText(name, LIMITS.quantityName);
      const condition = known instanceof Complaint ? known : readCondition(sent);
      if (condition instanceof Complaint) return under(name, condition);
      conditions.set(name, condition);
    }
    return Object.fromEntries(conditions);
  },
);

const readCondition = (value: unknown): Reading<When[string]> => {
  if (!isDictionary(value)) return new Complaint('wrong_type', 'Expected an object');
  const condition: When[string] = {};
  for (const [key, sent] of Object.entries(value)) {
    const comparison = COMPARISONS.find((one) => one === key);
    if (comparison === undefined) return new Complaint('unknown_field', `Unknown comparison, expected ${COMPARISONS.join(', ')}`, [key]);
    const amount = readAmountText(sent, { scale: PRICE_SCALE, max: MAX_PRICE });
    if (amount instanceof Complaint) return under(key, amount);
    condition[comparison] = amount;
  }
  return Object.keys(condition).length === 0 ? new Complaint('too_few', 'At least one comparison') : condition;
};

/** Named for the OpenAPI document; {@link when} reads it. */
export const QuantityCondition = z
  .strictObject({ gt: amountText().optional(), gte: amountText().optional(), lt: amountText().optional(), lte: amountText().optional() })
  .meta({ id: 'QuantityCondition' });

export const PriceBody = z
  .strictObject({
    meter: plainText(LIMITS.meter),
    match: field(
      { type: 'object', additionalProperties: { type: 'string' }, description: 'By dimension; * matches any text' },
      readDimensions,
    ).default({}),
    unit: plainText(LIMITS.quantityName),
    amount: priceAmount,
    per: wholeNumber(1, 1e12).default(1),
    when: when.optional(),
  })
  .meta({ id: 'PriceInput' });

const MAX_PRICES = 20_000;

const Sent = z.strictObject({
  from: oneOf(...SHIPPED_LISTS).optional(),
  name: label(200).optional(),
  currency: currencyCode.optional(),
  effectiveFrom: instantText.optional(),
  prices: z.array(PriceBody).min(1).max(MAX_PRICES).optional(),
});

/** A shipped list by its name, or a list of one's own; without `effectiveFrom` it is in force from now on. */
export type PriceListInput = Readonly<
  { from: (typeof SHIPPED_LISTS)[number] } | { name: string; currency?: string; effectiveFrom?: string; prices: Price[] }
>;

/** `POST /price-lists`. */
export const PriceListBody = Sent.superRefine(obeying(complaintsOf))
  .transform(({ from, name = '', prices = [], ...rest }): PriceListInput => (from === undefined ? { name, prices, ...rest } : { from }))
  .meta({ id: 'PriceListInput' });

function complaintsOf({ from, ...own }: z.infer<typeof Sent>): readonly Complaint[] {
  if (from === undefined) {
    return (['name', 'prices'] as const).filter((key) => own[key] === undefined).map((key) => new Complaint('required', undefined, [key]));
  }
  return Object.entries(own).flatMap(([key, value]) =>
    value === undefined ? [] : [new Complaint('exclusive', 'A shipped list comes as it is', [key])],
  );
}

/** `POST /price-lists/:id/correct`: prices that should have been, each in the place of the one for the same meter, match, unit and condition. */
export const PriceCorrection = z
  .strictObject({ prices: z.array(PriceBody).min(1).max(MAX_PRICES), dryRun: flag.default(false) })
  .meta({ id: 'PriceCorrection' });
export type PriceCorrectionInput = z.output<typeof PriceCorrection>;

/** `POST /exchange-rates`: 1 `from` = `rate` `to`, from `effectiveFrom` (now) until a later one. */
export const ExchangeRateBody = z
  .strictObject({
    from: currencyCode,
    to: currencyCode,
    rate: amountText({ scale: PRICE_SCALE, max: MAX_PRICE, positive: true }),
    effectiveFrom: instantText.optional(),
  })
  .refine(({ from, to }) => from !== to, coded('exclusive', ['to'], 'A currency is worth itself'))
  .meta({ id: 'ExchangeRateInput' });
