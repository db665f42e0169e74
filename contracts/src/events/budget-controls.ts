import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredMoney } from './wire.js';

/** The period whose spend reached the block point of a budget with `autoPause` (PRODUCT B8), and what was decided on. */
const AutomaticPause = z.object({
  periodStart: StoredInstant,
  periodEnd: StoredInstant.nullable(),
  /** 1 for the first time the block point was reached in the period; each fall below it begins the next. */
  episode: z.number().int().positive(),
  spend: StoredAmount,
  blockPoint: StoredAmount,
  causePosition: z.number().int(),
});

/**
 * What was done to a budget beside its definition. By hand, in the budget's own stream `budget-<tenant>.<budgetId>`, emitted by the
 * api: it lasts until it is resumed, whatever periods end meanwhile. With `automatic`, in `balance-<tenant>.<budgetId>`, emitted by
 * the budget-projector: it belongs to that period and ends with it, or when it is resumed.
 */
export const BudgetPaused = defineEvent(
  'BudgetPaused',
  1,
  z.object({ budgetId: z.string(), reason: z.string().nullable(), automatic: AutomaticPause.optional() }),
);
/** By hand; with `automatic`, in `balance-…` by the reset-scheduler: the period that an automatic pause belonged to has ended. */
export const BudgetResumed = defineEvent(
  'BudgetResumed',
  1,
  z.object({ budgetId: z.string(), reason: z.string().nullable(), automatic: z.object({ periodStart: StoredInstant }).optional() }),
);

/**
 * More room, or no enforcement, until `expiresAt` (exclusive). Never changed: another wish is another grant. It ends by the clock;
 * `OverrideExpired` says so. Who granted it and when is the event's actor and `recordedAt`.
 */
export const OverrideGranted = defineEvent(
  'OverrideGranted',
  1,
  z.object({
    budgetId: z.string(),
    overrideId: z.string(),
    /** An increase of the limit; null: enforcement alone is overridden. */
    amount: StoredMoney.nullable(),
    enforcement: z.literal('off').nullable(),
    expiresAt: StoredInstant,
    reason: z.string(),
  }),
);
/** Before its time, from this position on. */
export const OverrideRevoked = defineEvent('OverrideRevoked', 1, z.object({ budgetId: z.string(), overrideId: z.string() }));
