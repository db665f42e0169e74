import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredMoney, StoredScope } from './wire.js';

/** A period definition as stored; `Period` in values/period.ts computes with it. */
export const StoredPeriod = z.object({
  kind: z.enum(['daily', 'weekly', 'monthly', 'quarterly', 'annual', 'rolling', 'custom']),
  timezone: z.string(),
  /** Boundary 0; absent means calendar-aligned. A rolling budget without one gets its creation here. */
  anchor: StoredInstant.optional(),
  /** ISO 8601 duration, kind `rolling`. */
  length: z.string().optional(),
  /** Half-open [start, end), kind `custom`. */
  start: StoredInstant.optional(),
  end: StoredInstant.optional(),
  recurring: z.boolean(),
  /** What held before `until`, a boundary of it: another time zone begins with the next period (RELIABILITY IN-D14). */
  preceding: z
    .object({
      until: StoredInstant,
      get period() {
        return StoredPeriod;
      },
    })
    .optional(),
  /** Resets by hand, oldest first: each begins a period where it was recorded. Kept by folds, never part of what was asked for. */
  resets: z.array(z.object({ at: StoredInstant, position: z.number().int() })).optional(),
});
export type PeriodDefinition = z.infer<typeof StoredPeriod>;

export const StoredThreshold = z.object({
  /** Exactly one of the two: a percentage of the effective limit, or an absolute amount in the budget's currency. */
  percent: z.string().optional(),
  amount: StoredAmount.optional(),
  severity: z.enum(['info', 'warning', 'critical']),
  actions: z.array(z.enum(['notify', 'restrict-models', 'require-approval', 'block-all', 'auto-downgrade'])),
  allowedModels: z.array(z.string()).optional(),
  downgrade: z.record(z.string(), z.string()).optional(),
  channels: z.array(z.string()).optional(),
});
export type ThresholdDefinition = z.infer<typeof StoredThreshold>;

/** Everything a budget is, complete: an edit stores the whole of it anew, so a fold never merges. */
export const StoredBudget = z.object({
  name: z.string(),
  description: z.string().optional(),
  scope: StoredScope,
  /** Several scopes that draw on one pool; absent means `scope` alone. */
  members: z.array(StoredScope).optional(),
  filter: z.object({ category: z.string().optional(), dimensions: z.record(z.string(), z.string()).optional() }).optional(),
  /** null amount means unlimited. The currency stays known either way. */
  limit: z.union([StoredMoney, z.object({ amount: z.null(), currency: z.string() })]),
  period: StoredPeriod,
  thresholds: z.array(StoredThreshold),
  levels: z.object({ yellow: z.number().optional(), orange: z.number().optional(), red: z.number().optional() }),
  enforcement: z.object({ mode: z.enum(['block', 'notify', 'off']), blockAtPercent: z.number(), autoPause: z.boolean() }),
  rollover: z.object({ mode: z.enum(['none', 'unused', 'debt', 'both']), cap: StoredAmount.optional() }),
  permissions: z.object({ budgetVisibleToUser: z.boolean(), userCanModifyLimit: z.boolean(), userCanResetBudget: z.boolean() }),
  validFrom: StoredInstant.nullable(),
  validUntil: StoredInstant.nullable(),
  metadata: z.record(z.string(), z.unknown()),
});
export type BudgetDefinition = z.infer<typeof StoredBudget>;

/** Stream `budget-<tenant>.<budgetId>`, whose revision is the ETag. Emitted by the api. */
export const BudgetCreated = defineEvent('BudgetCreated', 1, z.object({ budgetId: z.string(), definition: StoredBudget }));
/** PUT or PATCH: the whole definition as it is from this position on. */
export const BudgetChanged = defineEvent('BudgetChanged', 1, z.object({ budgetId: z.string(), definition: StoredBudget }));
/** Gone from lists and from folds; its history stays. */
export const BudgetDeleted = defineEvent('BudgetDeleted', 1, z.object({ budgetId: z.string() }));
