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
    /**
     * It adds scopes to usage that these events recorded, the original first: whom they charge is not charged again. Its id and source are
     * the original's, its event id is derived from that one's.
     */
    beyond: z
      .array(z.object({ eventId: z.string(), scopes: z.array(StoredScope), position: z.number().int() }))
      .min(1)
      .optional(),
    rated: StoredMoney.optional(),
    /**
     * Position of the last of the prices and settings that rated it. Absent in what was recorded before it was kept: they are those at
     * the event's own position then.
     */
    ratedAt: z.number().int().optional(),
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

/**
 * A recorded usage costs something else than it was charged at: its price was corrected (PRODUCT J9) or somebody adjusted it (A8). Stream
 * `usage-<tenant>`, emitted by the budget-projector or by ingestion; read by every fold, which takes back what it charged for it and
 * charges `cost` instead, in the same period, on the same path and at the same rate. The id is derived from the usage and the correction,
 * so a correction run again is a duplicate. It carries the original as stored, as a void does.
 */
export const UsageRerated = defineEvent(
  'UsageRerated',
  1,
  z.object({
    /** Of the UsageRecorded event. */
    eventId: z.string(),
    /** Of the PricesCorrected, or of the request that adjusted it. */
    correctionId: z.string(),
    /** A cost that somebody stated stands: later corrections of prices leave it alone. */
    cause: z.enum(['price', 'adjustment']),
    reason: z.string().optional(),
    /** What it was charged at until here as far as its writer knew; null: it waited for a price. No fold goes by it. */
    previousCost: StoredMoney.nullable(),
    cost: StoredMoney,
    original: z.object({
      position: z.number().int(),
      revision: z.number().int(),
      recordedAt: StoredInstant,
      data: UsageRecorded.data,
    }),
  }),
);
export type UsageReratedData = z.infer<typeof UsageRerated.data>;
export type UsageReratedEvent = Recorded<'UsageRerated', UsageReratedData>;

/**
 * All usage that a correction of prices changes has been rerated: its `UsageRerated` events are before this one. Stream `usage-<tenant>`,
 * emitted by the budget-projector; whoever folds the ledger anew knows by it that there is nothing left to do.
 */
export const PriceCorrectionApplied = defineEvent(
  'PriceCorrectionApplied',
  1,
  z.object({
    correctionId: z.string(),
    listId: z.string(),
    /** Position of the PricesCorrected. */
    correctedAt: z.number().int(),
    /** How many usages it rerated. */
    rerated: z.number().int().nonnegative(),
  }),
);

/**
 * A reservation or guarded call was refused (PRODUCT C4). Stream `usage-<tenant>`, emitted by the budget-projector behind its answer;
 * charges nothing. Repeats of a caller within a minute are counted, not stored singly: `count` is how many this one stands for.
 */
export const UsageRefused = defineEvent(
  'UsageRefused',
  2,
  z.object({
    decisionId: z.string(),
    reservationId: z.string().nullable(),
    scopes: z.array(StoredScope).min(1),
    /** null: what it was asked for has no price. */
    amount: StoredMoney.nullable(),
    /** The units that no price covered. */
    unpriced: z.array(z.string()).optional(),
    category: z.string().optional(),
    dimensions: z.record(z.string(), z.string()).optional(),
    /** `budget_exceeded`, `budget_paused`, `rate_missing`, `price_missing`, `approval_required`, … */
    code: z.string(),
    /** null, and all that is of the budget: no budget is why, the tenant denies what has no price. */
    budgetId: z.string().nullable(),
    budgetName: z.string().nullable(),
    scope: StoredScope.nullable(),
    periodStart: StoredInstant.nullable(),
    currentSpend: StoredMoney.nullable(),
    reserved: StoredMoney.nullable(),
    limit: StoredMoney.nullable(),
    blockPoint: StoredMoney.nullable(),
    /** The first refusal of those counted here, and how many they are. */
    refusedAt: StoredInstant,
    count: z.number().int().positive(),
    /** The partition's position on which it was decided. */
    position: z.number().int(),
  }),
  // Version 1 always had an amount.
  { 1: (first: object) => first },
);
export type UsageRefusedEvent = Recorded<'UsageRefused', z.infer<typeof UsageRefused.data>>;

/**
 * A producer sent a record that cannot be counted as it is (no cost and nothing to rate, a negative cost, …). Stream `usage-<tenant>`,
 * emitted by ingestion; charges nothing. The id is derived from the record's content, so the same one sent again is a duplicate.
 */
export const UsageQuarantined = defineEvent(
  'UsageQuarantined',
  1,
  z.object({
    source: z.string(),
    /** As the producer named it; null where it did not. */
    id: z.string().nullable(),
    /** Stable codes as in a rejection, the first reason first. */
    code: z.string(),
    detail: z.string(),
    /** What of the record is kept: identity, model, tokens, cost and times; never prompts, answers or headers. */
    record: z.record(z.string(), z.unknown()),
  }),
);
