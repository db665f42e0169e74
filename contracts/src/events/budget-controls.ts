import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredInstant, StoredMoney } from './wire.js';

/**
 * What somebody did to a budget beside its definition, in the budget's own stream `budget-<tenant>.<budgetId>`. Emitted by the api.
 *
 * By hand: it lasts until it is resumed, whatever periods end meanwhile.
 */
export const BudgetPaused = defineEvent('BudgetPaused', 1, z.object({ budgetId: z.string(), reason: z.string().nullable() }));
export const BudgetResumed = defineEvent('BudgetResumed', 1, z.object({ budgetId: z.string(), reason: z.string().nullable() }));

/**
 * More room, or no enforcement, until `expiresAt` (exclusive). Never changed: another wish is another grant. It ends by the clock,
 * without an event. Who granted it and when is the event's actor and `recordedAt`.
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
