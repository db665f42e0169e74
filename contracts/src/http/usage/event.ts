import { z } from 'zod';
import { coded, field } from '../fields/field.js';
import { freeText, oneOf, plainText } from '../fields/text.js';
import { LIMITS } from './limits.js';
import { readAllocation, readCost, readDimensions, readMetadata, readOccurredAt, readScopes } from './parts.js';
import { readQuantities } from './quantities.js';
import type { SentUsage } from './sent.js';

const SCOPE = { $ref: '#/$defs/ScopeRef' };
const DECIMAL = {
  oneOf: [
    { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$', maxLength: 80 },
    { type: 'number', minimum: 0 },
  ],
};

const shape = {
  id: plainText(LIMITS.id, 'Unique within its source: the same (source, id) counts once, for ever'),
  source: plainText(LIMITS.source),
  occurredAt: field({ type: 'string', format: 'date-time', description: 'Default: now' }, readOccurredAt).optional(),
  scopes: field({ type: 'array', minItems: 1, maxItems: LIMITS.scopes, items: SCOPE }, readScopes),
  meter: plainText(LIMITS.meter).optional(),
  category: plainText(LIMITS.category).optional(),
  description: freeText(LIMITS.description).optional(),
  cost: field({ $ref: '#/$defs/Money' }, readCost).optional(),
  quantities: field(
    {
      type: 'object',
      maxProperties: LIMITS.quantities,
      additionalProperties: DECIMAL,
      description: 'Below 2^63; *Tokens are whole. inputTokens includes cacheReadTokens and cacheWriteTokens, outputTokens reasoningTokens',
    },
    readQuantities,
  ).optional(),
  dimensions: field(
    { type: 'object', maxProperties: LIMITS.dimensions, additionalProperties: { type: 'string', maxLength: LIMITS.dimensionValue } },
    readDimensions,
  ).optional(),
  status: oneOf('succeeded', 'failed').optional(),
  reservationId: plainText(LIMITS.reservationId).optional(),
  allocation: field(
    {
      type: 'array',
      minItems: 1,
      maxItems: LIMITS.allocation,
      description: 'Splits the cost; percentages sum to 100',
      items: {
        type: 'object',
        properties: { scope: SCOPE, percent: DECIMAL },
        required: ['scope', 'percent'],
        additionalProperties: false,
      },
    },
    readAllocation,
  ).optional(),
  metadata: field({ type: 'object', description: `At most ${LIMITS.metadataBytes} bytes as JSON` }, readMetadata).optional(),
} satisfies Record<keyof SentUsage, z.ZodType>;

/** What an event must bring to be worth anything: its cost, or at least one quantity that a price may turn into one. */
export const bringsCost = (event: Pick<SentUsage, 'cost' | 'quantities'>): boolean =>
  event.cost !== undefined || (event.quantities !== undefined && Object.keys(event.quantities).length > 0);

/** One usage event as a request carries it; normalised, without defaults, inside. */
export const UsageEvent: z.ZodType<SentUsage, unknown> = z
  .strictObject(shape)
  .refine(bringsCost, coded('no_cost', []))
  .meta({ id: 'UsageEvent' });

/** The body of `POST /usage`: one event, or up to 1,000. Documentation: `readUsageBody` reads each event on its own. */
export const UsageBody = z
  .union([UsageEvent, z.strictObject({ events: z.array(UsageEvent).min(1).max(LIMITS.batch) }).meta({ id: 'UsageBatch' })])
  .meta({ id: 'UsageBody' });

/** A usage event in a structured CloudEvent. Documentation: `fromCloudEvent` opens it. */
export const UsageCloudEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    type: z.string().meta({ examples: ['bursar.usage.v1'] }),
    id: plainText(LIMITS.id),
    source: plainText(LIMITS.source),
    time: z.string().meta({ format: 'date-time' }).optional(),
    subject: z.string().meta({ description: 'A scope here comes first among the scopes' }).optional(),
    datacontenttype: z.string().optional(),
    data: z.strictObject({ ...shape, id: shape.id.optional(), source: shape.source.optional(), scopes: shape.scopes.optional() }),
  })
  .meta({ id: 'UsageCloudEvent' });
