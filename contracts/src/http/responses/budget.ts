import { z } from 'zod';
import { StoredBudget, StoredPeriod, StoredThreshold } from '../../events/budget.js';
import { Amount, Instant, listOf, MoneyAnswer, Position } from './common.js';

const severity = z.enum(['info', 'warning', 'critical']);

export const ActiveAlert = z
  .object({
    alertId: z.string(),
    percent: z.number().optional(),
    amount: Amount.optional(),
    severity,
    actions: z.array(z.string()),
    since: Instant,
    acknowledged: z.boolean(),
  })
  .meta({ id: 'ActiveAlert' });

/** All live grants of a budget together. */
export const LiveOverride = z
  .object({
    overrideIds: z.array(z.string()),
    amount: Amount.nullable(),
    enforcement: z.literal('off').nullable(),
    expiresAt: Instant.meta({ description: 'When the first of them ends' }),
  })
  .meta({ id: 'LiveOverride' });

/** A grant: more room, or no enforcement, before `expiresAt`. */
export const Override = z
  .looseObject({
    overrideId: z.string(),
    amount: Amount.nullable(),
    currency: z.string().nullable(),
    enforcement: z.literal('off').nullable(),
    expiresAt: Instant,
    reason: z.string(),
    createdBy: z.string().nullable(),
    createdAt: Instant,
    state: z.enum(['active', 'expired', 'revoked']),
    revokedAt: Instant.nullable(),
    revokedBy: z.string().nullable(),
  })
  .meta({ id: 'Override' });
export const OverrideList = listOf(Override).meta({ id: 'OverrideList' });

/** API.md "Status". Amounts are decimal strings of `currency`; null means there is none. */
export const BudgetStatus = z
  .looseObject({
    budgetId: z.string(),
    currency: z.string(),
    limit: Amount.nullable(),
    effectiveLimit: Amount.nullable(),
    rolledOver: Amount.nullable().meta({
      description:
        'Carried into this period: left over, or, negative, owed; what is held of the periods before is not left over; null: not computed',
    }),
    currentSpend: Amount,
    reserved: Amount,
    remaining: Amount.nullable(),
    graceRemaining: Amount.nullable(),
    percentUsed: Amount.nullable(),
    blockPoint: Amount.nullable(),
    periodStart: Instant.nullable(),
    periodEnd: Instant.nullable(),
    daysRemaining: z.int().nullable(),
    burnRate: Amount.nullable(),
    projectedTotal: Amount.nullable(),
    projectedExhaustion: Instant.nullable(),
    status: z.enum(['ok', 'warning', 'critical', 'exceeded', 'paused', 'counting']),
    alertLevel: z.enum(['green', 'yellow', 'orange', 'red', 'blocked']),
    activeAlerts: z.array(ActiveAlert),
    paused: z.boolean(),
    override: LiveOverride.nullable(),
    incomplete: z.boolean().meta({ description: 'An event could not be folded and was set aside: the figures may lack it' }),
    position: Position,
    lastUpdated: Instant,
  })
  .meta({ id: 'BudgetStatus' });

/** A threshold's alert, or another notice of a budget. */
export const Alert = z
  .looseObject({
    id: z.string(),
    budgetId: z.string().nullable(),
    budgetName: z.string().nullable(),
    scope: z.string().nullable(),
    event: z.string().meta({ examples: ['threshold.crossed', 'budget.paused', 'period.ended'] }),
    type: z.string().meta({ examples: ['WARNING', 'CRITICAL', 'LIMIT', 'PAUSED', 'BLOCKED'] }),
    severity,
    percent: z.number().optional().meta({ description: 'The threshold’s own number; absent for other types' }),
    percentUsed: Amount.nullable(),
    currentSpend: Amount.nullable(),
    limit: Amount.nullable(),
    currency: z.string().nullable(),
    message: z.string(),
    actions: z.array(z.string()),
    acknowledged: z.boolean(),
    acknowledgedBy: z.string().nullable(),
    acknowledgedAt: Instant.nullable(),
    periodStart: Instant.nullable(),
    periodEnd: Instant.nullable(),
    createdAt: Instant,
    clearedAt: Instant.nullable().meta({ description: 'Of a crossing: when spend was back under; null: it stands' }),
    suppressed: z.boolean(),
    source: z.string(),
    revision: z.int().nullable().meta({ description: 'Its number among the tenant’s alerts, gap-free from 0' }),
    position: Position.nullable().meta({ description: 'Of its event; null for a moment, until the ledger tells what was decided' }),
  })
  .meta({ id: 'Alert' });
export const AlertList = listOf(Alert).meta({ id: 'AlertList' });

const Threshold = StoredThreshold.omit({ percent: true }).extend({ percent: z.number().optional() }).meta({ id: 'Threshold' });

const Period = StoredPeriod.omit({ preceding: true, resets: true }).meta({ id: 'Period' });

export const Budget = z
  .looseObject({
    id: z.string(),
    ...StoredBudget.omit({ thresholds: true, period: true, limit: true }).shape,
    limit: MoneyAnswer.nullable().describe('null is unlimited; the currency is then in the status'),
    period: Period,
    thresholds: z.array(Threshold),
    createdAt: Instant,
    updatedAt: Instant,
    createdBy: z.string().nullable(),
    revision: z.int(),
    status: BudgetStatus,
    alerts: z.array(Alert).optional(),
  })
  .meta({ id: 'Budget' });
export const BudgetList = listOf(Budget).meta({ id: 'BudgetList' });

export const Periods = z.object({ periods: z.array(z.object({ start: Instant, end: Instant })) }).meta({ id: 'Periods' });

/** What a `PeriodRestated` said: late usage, a void, a settlement or a corrected price changed a period that had ended. */
const Restatement = z
  .object({
    restatement: z.int().meta({ description: 'Counts from 1' }),
    spend: Amount,
    previousSpend: Amount,
    rolledOver: Amount.meta({ description: 'What the period left for the next, from then on' }),
    previousRolledOver: Amount,
    compensation: Amount.meta({ description: 'The entry that corrects what had been carried on: rolledOver - previousRolledOver' }),
    at: Instant,
  })
  .meta({ id: 'Restatement' });

/** One period of a budget. */
export const BudgetPeriod = z
  .object({
    start: Instant,
    end: Instant,
    status: z.enum(['open', 'ended']).meta({ description: 'By the clock, whether or not its end was said' }),
    spend: Amount.meta({ description: 'As of now, with what came late' }),
    closingSpend: Amount.nullable().meta({ description: 'What PeriodEnded said; null: nothing yet' }),
    currency: z.string(),
    limit: Amount.nullable().meta({ description: 'In force at its end, or now; null is unlimited' }),
    effectiveLimit: Amount.nullable().meta({ description: 'With overrides and what was carried into it' }),
    rolledOver: Amount.meta({ description: 'Carried into it: left over, or, negative, owed' }),
    events: z.int(),
    restatements: z.array(Restatement),
    endedAt: Instant.nullable(),
    cause: z.enum(['boundary', 'reset', 'expired']).nullable(),
  })
  .meta({ id: 'BudgetPeriod' });
export const BudgetPeriodList = listOf(BudgetPeriod).meta({ id: 'BudgetPeriodList' });

/** A new spending window began: by the calendar, or by hand. */
export const BudgetResetEntry = z
  .object({
    type: z.enum(['manual', 'automatic']),
    by: z.string().nullable(),
    userId: z.string().nullable().meta({ description: 'Whose budget it is, of a budget on a `user:` scope' }),
    previousLimit: Amount.nullable(),
    previousSpend: Amount,
    newLimit: Amount.nullable(),
    currency: z.string(),
    reason: z.string().nullable(),
    at: Instant,
  })
  .meta({ id: 'BudgetResetEntry' });
export const BudgetResetList = listOf(BudgetResetEntry).meta({ id: 'BudgetResetList' });

/** One event of a budget or of its balance, as the ledger has it. `before` and `after`: definitions, null where there was or is none. */
export const BudgetHistoryEntry = z
  .looseObject({
    type: z.string().meta({
      description: "The event's type; others may come",
      examples: ['BudgetCreated', 'BudgetChanged', 'BudgetDeleted', 'BudgetPaused', 'OverrideGranted', 'BudgetReset', 'ThresholdCrossed'],
    }),
    at: Instant,
    by: z.string().nullable().meta({ description: 'Who asked for it, or the service that decided it' }),
    reason: z.string().nullable(),
    position: Position,
    before: z.looseObject({}).nullable().optional(),
    after: z.looseObject({}).nullable().optional(),
    data: z.looseObject({}).optional().meta({ description: 'What the event says, where that is not a definition' }),
  })
  .meta({ id: 'BudgetHistoryEntry' });
export const BudgetHistoryList = listOf(BudgetHistoryEntry).meta({ id: 'BudgetHistoryList' });

/** `POST /budgets/:id/refresh-cache`: the tables against the ledger, at one position. */
export const RefreshedCache = z
  .looseObject({
    budgetId: z.string(),
    differed: z.boolean(),
    differences: z.array(
      z.object({
        field: z.string().meta({ description: 'Of the status' }),
        cached: z.union([z.string(), z.number()]).nullable().meta({ description: 'As the tables have it' }),
        ledger: z.union([z.string(), z.number()]).nullable().meta({ description: 'As the events add up' }),
      }),
    ),
    position: Position,
    status: BudgetStatus.meta({ description: "The ledger's" }),
  })
  .meta({ id: 'RefreshedCache' });

/** The tree below a scope, with the balances of every budget on it. */
export const Hierarchy = z.looseObject({}).meta({ id: 'Hierarchy', description: 'A scope with its budgets and children, to any depth' });
