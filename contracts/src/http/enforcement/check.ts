import { z } from 'zod';
import { amountText, currencyCode, wholeNumber } from '../fields/amount.js';
import { coded, field } from '../fields/field.js';
import { scopeList } from '../fields/scope.js';
import { plainText } from '../fields/text.js';
import { LIMITS } from '../usage/limits.js';
import { readDimensions } from '../usage/parts.js';
import { readQuantities } from '../usage/quantities.js';

const dimensions = field({ type: 'object', maxProperties: LIMITS.dimensions, additionalProperties: { type: 'string' } }, readDimensions);
const what = { category: plainText(LIMITS.category).optional(), dimensions: dimensions.optional() };
const money = { amount: amountText(), currency: currencyCode.optional() };

/** `POST /check`: may these scopes spend this? Without a currency it is the tenant's. */
export const CheckBody = z.strictObject({ scopes: scopeList(1, LIMITS.scopes), ...money, ...what }).meta({ id: 'CheckInput' });

/** `POST /budgets/:id/check-constraints`: without a currency it is the budget's. */
export const CheckConstraintsBody = z.strictObject({ ...money, ...what }).meta({ id: 'CheckConstraintsInput' });

/** How long a reservation holds when nothing is said, and at most. */
export const TTL_SECONDS = { usual: 300, most: 86_400 } as const;

/** `POST /reservations`: an amount, or quantities that the price lists rate. */
export const ReservationBody = z
  .strictObject({
    id: plainText(LIMITS.reservationId).optional(),
    scopes: scopeList(1, LIMITS.scopes),
    amount: amountText({ positive: true }).optional(),
    currency: currencyCode.optional(),
    meter: plainText(LIMITS.meter).optional(),
    quantities: field({ type: 'object', maxProperties: LIMITS.quantities }, readQuantities).optional(),
    ...what,
    ttlSeconds: wholeNumber(1, TTL_SECONDS.most).default(TTL_SECONDS.usual),
  })
  .refine(
    ({ amount, quantities }) => (amount === undefined) !== (quantities === undefined),
    coded('exclusive', ['amount'], 'Either amount or quantities'),
  )
  .refine(
    ({ quantities }) => quantities === undefined || Object.values(quantities).some((quantity) => /[1-9]/.test(quantity)),
    coded('not_positive', ['quantities'], 'One of them must be greater than zero'),
  )
  .meta({ id: 'ReservationInput' });

/** A release by request: it names the reservation that the path names over HTTP. */
export const ReleaseBody = z.strictObject({ reservationId: plainText(LIMITS.reservationId) }).meta({ id: 'ReleaseInput' });

/** `POST /explain`: a decision, an event, an alert, or what a spend would meet. */
export const ExplainBody = z
  .strictObject({
    decisionId: plainText(256).optional().meta({ description: 'As a refusal gave it, or the id of a reservation that was granted' }),
    eventId: plainText(256).optional(),
    alertId: plainText(256).optional(),
    scopes: scopeList(1, LIMITS.scopes).optional(),
    amount: amountText().optional(),
    currency: currencyCode.optional(),
    ...what,
  })
  .refine(
    ({ decisionId, eventId, alertId, scopes }) => [decisionId, eventId, alertId, scopes].filter((one) => one !== undefined).length === 1,
    coded('exclusive', [], 'One of decisionId, eventId, alertId, or scopes with amount'),
  )
  .refine(
    ({ scopes, amount }) => (scopes === undefined) === (amount === undefined),
    coded('exclusive', ['amount'], 'scopes and amount go together'),
  )
  .meta({ id: 'ExplainInput' });
