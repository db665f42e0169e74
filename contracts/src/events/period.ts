import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant } from './wire.js';

/** Which period of which budget. A period is a key: (budget, start), and its end is exclusive. */
const period = {
  budgetId: z.string(),
  budgetName: z.string(),
  scope: z.string(),
  periodStart: StoredInstant,
  periodEnd: StoredInstant.nullable(),
  currency: z.string(),
};

/** Version of the IANA time zone data that the period's bounds were computed with, as `2025b` (RELIABILITY F32); absent: not recorded yet. */
const computed = { timeZoneData: z.string().optional() };

/** A period's figures as of `through`, the position of the partition up to which they were added up. */
const figures = {
  spend: StoredAmount,
  events: z.number().int(),
  failedSpend: StoredAmount,
  failedEvents: z.number().int(),
  /** Open holds that belong to the period; what they settle for will restate it. */
  reserved: StoredAmount,
  /** Effective limit at the period's end; null: unlimited. */
  limit: StoredAmount.nullable(),
  /** Of spend ÷ limit × 100, two digits, rounded down; null without a limit or at limit 0. */
  percentUsed: z.string().nullable(),
  /** What goes on into the next period: left over (positive) or owed (negative). */
  rolledOver: StoredAmount,
  through: z.number().int(),
};

/**
 * Stream `balance-<tenant>.<budgetId>`, emitted by the reset-scheduler: exactly one per budget and period, in order; the id is derived
 * from (tenant, budget, period start). `cause`: the calendar, a reset by hand, or the budget's own end.
 */
export const PeriodEnded = defineEvent(
  'PeriodEnded',
  1,
  z.object({ ...period, ...computed, ...figures, cause: z.enum(['boundary', 'reset', 'expired']), endedAt: StoredInstant }),
);

/** The next period is open. It opened by the clock at `periodStart`; this says so. Id from (tenant, budget, period start). */
export const PeriodStarted = defineEvent(
  'PeriodStarted',
  1,
  z.object({ ...period, ...computed, limit: StoredAmount.nullable(), rolledOver: StoredAmount }),
);

/**
 * What `PeriodEnded` (or the last restatement) said of an ended period is no longer so: late usage, a void, a settlement, a corrected
 * price. `restatement` counts from 1; the id is derived from (tenant, budget, period start, restatement).
 */
export const PeriodRestated = defineEvent(
  'PeriodRestated',
  1,
  z.object({
    ...period,
    ...figures,
    restatement: z.number().int().positive(),
    previousSpend: StoredAmount,
    /** What had been carried on before: the difference is the compensating entry of the period after. */
    previousRolledOver: StoredAmount,
  }),
);

/** A live override ended by the clock. Emitted by the reset-scheduler, stream `balance-…`; the grant had said when. */
export const OverrideExpired = defineEvent(
  'OverrideExpired',
  1,
  z.object({ budgetId: z.string(), overrideId: z.string(), expiresAt: StoredInstant }),
);

/** `validUntil` has passed: the budget counts nothing after it. Emitted by the reset-scheduler, stream `balance-…`. */
export const BudgetExpired = defineEvent('BudgetExpired', 1, z.object({ budgetId: z.string(), validUntil: StoredInstant }));

/**
 * A reset by hand, in the budget's own stream `budget-<tenant>.<budgetId>`, emitted by the api: the open period ends at this event's
 * `recordedAt` and the next opens there, to the same boundary. What was folded before stays in the old one.
 */
export const BudgetReset = defineEvent(
  'BudgetReset',
  1,
  z.object({
    budgetId: z.string(),
    reason: z.string().nullable(),
    previousLimit: StoredAmount.nullable(),
    /** As the projection had it when the reset was asked for; what is exact is the closing spend of the period it ends. */
    previousSpend: StoredAmount,
    /** A new limit comes as `BudgetChanged` in the same append; null: as before. */
    newLimit: StoredAmount.nullable(),
    currency: z.string(),
  }),
);
