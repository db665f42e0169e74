import { z } from 'zod';
import { amountText, currencyCode } from '../fields/amount.js';
import { Complaint, type Reading } from '../fields/complaint.js';
import { coded, field } from '../fields/field.js';
import { spokenAmount } from '../fields/money.js';
import { freeText, label, oneOf, plainText, remark } from '../fields/text.js';
import { durationText, instantText } from '../fields/time.js';
import { LIMITS } from '../usage/limits.js';
import { readCost, readMetadata } from '../usage/parts.js';
import { BudgetBody } from './body.js';

const REASON = 1_000;
/** Budgets in one request. */
export const MAX_BULK = 1_000;

/** Pause, resume, acknowledge, approve: a reason if there is one. */
export const ReasonBody = z.strictObject({ reason: remark(REASON) }).meta({ id: 'Reason' });
/** `POST /usage/:eventId/void`: taking money back needs a reason. */
export const VoidBody = z.strictObject({ reason: label(REASON) }).meta({ id: 'VoidInput' });

/** `POST /usage/:eventId/adjust`: what the usage costs instead. */
export const AdjustBody = z
  .strictObject({ cost: field({ $ref: '#/$defs/Money' }, readCost), reason: label(REASON) })
  .meta({ id: 'AdjustInput' });

/** `POST /budgets/:id/reset`: a new period begins now, to the same boundary. */
export const ResetBody = z.strictObject({ reason: remark(REASON), newLimit: spokenAmount().optional() }).meta({ id: 'ResetInput' });

/** `POST /budgets/:id/overrides`: more room, or no enforcement, for a while. */
export const OverrideBody = z
  .strictObject({
    amount: spokenAmount({ positive: true }).optional(),
    enforcement: oneOf('off').optional(),
    duration: durationText.optional(),
    expiresAt: instantText.optional(),
    reason: label(REASON),
  })
  .refine(({ amount, enforcement }) => (amount ?? enforcement) !== undefined, coded('required', ['amount'], 'amount or enforcement'))
  .refine(
    ({ duration, expiresAt }) => (duration === undefined) !== (expiresAt === undefined),
    coded('exclusive', ['duration'], 'Either duration or expiresAt'),
  )
  .meta({ id: 'OverrideInput' });
export type OverrideInput = z.output<typeof OverrideBody>;

/** `POST /budgets/:id/usage` in its short form; `metadata.requestId` gives the id, `metadata.modelId` the model. */
export const BudgetUsageBody = z
  .strictObject({
    amount: amountText(),
    currency: currencyCode.optional(),
    source: plainText(LIMITS.source).optional(),
    description: freeText(LIMITS.description).optional(),
    occurredAt: instantText.optional(),
    metadata: field({ type: 'object' }, readMetadata).optional(),
  })
  .meta({ id: 'BudgetUsageInput' });

/** One of many: a new budget, or with an `id` what that one is to be. Each is judged on its own, so nothing is judged here. */
const bulkItem = field(
  {
    type: 'object',
    properties: { id: { type: 'string' }, budget: { $ref: '#/$defs/BudgetInput' } },
    required: ['budget'],
    additionalProperties: false,
  },
  (value): unknown => value,
);

/** `POST /budgets/bulk`: up to 1,000 budgets, by id where they exist. One that is refused takes none of the others with it. */
export const BulkBody = z.strictObject({ budgets: z.array(bulkItem).min(1).max(MAX_BULK) }).meta({ id: 'BulkInput' });

/** One of {@link BulkBody}, alone. */
export const BulkItem = z.strictObject({ id: plainText(128).optional(), budget: BudgetBody });

/** `POST /budgets/import`: CSV in UTF-8, with or without a byte order mark. */
export const CsvBody = field({ type: 'string', description: 'RFC 4180, with a header' }, (value): Reading<string> => {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) return new Complaint('wrong_type', 'Expected CSV text');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return new Complaint('text_format', 'Not UTF-8');
  }
});

const templateFields = field({ type: 'object', description: 'Fields of a budget but for its scope' }, readMetadata);

/** `POST /templates`: a named budget without its scope. A name that is there already gets the new content. */
export const TemplateBody = z.strictObject({ name: label(200), budget: templateFields }).meta({ id: 'TemplateInput' });

/** `POST /budgets/:id/usage`: {@link BudgetUsageBody}, or a usage event that may leave out what the budget and the request say. */
export const BudgetUsage = field(
  {
    type: 'object',
    description:
      'Either an amount (with currency, source, description, occurredAt, metadata: requestId becomes the id, modelId the model), or a usage event, whose id, source and scopes may be left out',
    properties: {
      amount: { type: ['string', 'number'] },
      currency: { type: 'string' },
      source: { type: 'string' },
      description: { type: 'string' },
      occurredAt: { type: 'string', format: 'date-time' },
      metadata: { type: 'object' },
      cost: { $ref: '#/$defs/Money' },
    },
  },
  (value): Reading<Readonly<Record<string, unknown>>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : new Complaint('wrong_type', 'Expected an object'),
);
