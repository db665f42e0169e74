import { z } from 'zod';
import { defineEvent, type Recorded } from './envelope.js';
import { StoredDecimal, StoredInstant, StoredMoney, StoredScope } from './wire.js';

/**
 * Usage happened. Emitted by ingestion, stream `usage-<tenant>`; read by every fold.
 * The id is derived from (tenant, source, id). `cost` is what the producer said; `rated` is what the tenant's price lists made of
 * the quantities when it arrived; with neither it is unpriced and the fold prices it by the definitions at its own position.
 */
export const UsageRecorded = defineEvent(
  'UsageRecorded',
  1,
  z.object({
    id: z.string(),
    source: z.string(),
    occurredAt: StoredInstant,
    scopes: z.array(StoredScope).min(1).max(16),
    meter: z.string().optional(),
    category: z.string().optional(),
    description: z.string().optional(),
    cost: StoredMoney.optional(),
    quantities: z.record(z.string(), StoredDecimal).optional(),
    dimensions: z.record(z.string(), z.string()).optional(),
    status: z.enum(['succeeded', 'failed']),
    reservationId: z.string().optional(),
    allocation: z.array(z.object({ scope: StoredScope, percent: StoredDecimal })).optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
    rated: StoredMoney.optional(),
    /** Units that had no price when it arrived. */
    unpriced: z.array(z.string()).optional(),
  }),
);
export type UsageData = z.infer<typeof UsageRecorded.data>;
export type UsageRecordedEvent = Recorded<'UsageRecorded', UsageData>;

/**
 * A recorded usage was a mistake. Emitted by ingestion, stream `usage-<tenant>`; read by every fold, which takes back exactly what it
 * charged for it. The id is derived from the voided event's, so a second void is a duplicate. It carries the original as stored, at the
 * version that UsageRecorded has: a new version of that event is a new version of this one too.
 */
export const UsageVoided = defineEvent(
  'UsageVoided',
  1,
  z.object({
    /** Of the UsageRecorded event. */
    eventId: z.string(),
    reason: z.string(),
    original: z.object({
      position: z.number().int(),
      revision: z.number().int(),
      recordedAt: StoredInstant,
      data: UsageRecorded.data,
    }),
  }),
);
export type UsageVoidedData = z.infer<typeof UsageVoided.data>;
export type UsageVoidedEvent = Recorded<'UsageVoided', UsageVoidedData>;
