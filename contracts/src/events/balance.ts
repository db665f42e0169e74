import { z } from 'zod';
import { StoredThreshold } from './budget.js';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredDecimal, StoredInstant, StoredMoney, StoredScope } from './wire.js';

/**
 * What the projector emits, stream `balance-<tenant>.<budgetId>`.
 *
 * The past of a new budget has been added up: the spend of all usage at positions 1..through per period. From this event's own
 * position its thresholds and decisions begin. More than 500 periods come in several events of one append; the last has `complete`.
 */
export const BudgetCounted = defineEvent(
  'BudgetCounted',
  1,
  z.object({
    budgetId: z.string(),
    through: z.number().int(),
    periods: z.array(
      z.object({
        start: StoredInstant,
        end: StoredInstant.nullable(),
        spend: StoredAmount,
        events: z.number().int(),
        failedSpend: StoredAmount,
        failedEvents: z.number().int(),
        /** Usage among 1..through that still waits for a price or a rate; not in `events`. */
        waiting: z.number().int(),
        lastUsageAt: StoredInstant.nullable(),
      }),
    ),
    /** Usage among 1..through that has a cost but no exchange rate into this budget's currency yet. */
    waitingForRate: z.array(
      z.object({
        position: z.number().int(),
        occurredAt: StoredInstant,
        effectiveAt: StoredInstant,
        cost: StoredMoney,
        failed: z.boolean(),
        /** How the cost is split, when it is: whom each part charges, and who gets the whole. */
        split: z
          .object({
            parts: z.array(z.object({ percent: StoredDecimal, path: z.array(StoredScope) })),
            whole: z.array(StoredScope),
          })
          .optional(),
      }),
    ),
    complete: z.boolean(),
  }),
);

const Crossing = z.object({
  budgetId: z.string(),
  budgetName: z.string(),
  scope: z.string(),
  periodStart: StoredInstant,
  periodEnd: StoredInstant.nullable(),
  /** `80%` or `amount:400`: a threshold is its value. */
  threshold: z.string(),
  definition: StoredThreshold,
  /** 1 for the first crossing in the period; each clearing begins the next. */
  episode: z.number().int(),
  spend: StoredAmount,
  /** null: unlimited (only amount thresholds can be crossed then). */
  limit: StoredAmount.nullable(),
  currency: z.string(),
  /** Decimal text of spend ÷ limit × 100, two digits, rounded down; null without a limit or at limit 0. */
  percentUsed: z.string().nullable(),
  /** Position of the event whose fold decided it. */
  causePosition: z.number().int(),
});

/** Armed → crossed. Id from (tenant, budget, period start, threshold, episode): exactly one, whatever restarts. */
export const ThresholdCrossed = defineEvent('ThresholdCrossed', 1, Crossing);
/** Crossed → armed: a raise, credit or void brought spend back under. */
export const ThresholdCleared = defineEvent('ThresholdCleared', 1, Crossing);
export type CrossingData = z.infer<typeof Crossing>;
