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
