import { z } from 'zod';
import { Problem } from '../problem.js';
import { Amount, Instant, listOf, MoneyAnswer, Position } from './common.js';

/** What became of one usage event, in request order. */
export const UsageResult = z
  .object({
    id: z.string().nullable(),
    source: z.string().nullable(),
    status: z.enum(['accepted', 'duplicate', 'rejected']),
    eventId: z.string().optional(),
    position: Position.optional(),
    problem: Problem.optional(),
  })
  .meta({ id: 'UsageResult' });

export const UsageResults = z.object({ results: z.array(UsageResult) }).meta({ id: 'UsageResults' });

/** `POST /usage/:eventId/void`; a second void is a `duplicate`, and the first one's reason stands. */
export const VoidResult = z
  .object({ eventId: z.string(), status: z.enum(['accepted', 'duplicate']), voidEventId: z.string(), position: Position })
  .meta({ id: 'VoidResult' });

/** `POST /usage/:eventId/adjust`; the same adjustment again, under its Idempotency-Key, is a `duplicate`. */
export const AdjustResult = z
  .object({
    eventId: z.string(),
    status: z.enum(['accepted', 'duplicate']),
    adjustmentEventId: z.string(),
    cost: MoneyAnswer,
    position: Position,
  })
  .meta({ id: 'AdjustResult' });

/** `?dryRun=true`: what it would cost and which budgets would count it. */
export const DryRunResults = z
  .object({
    results: z.array(
      UsageResult.extend({
        cost: MoneyAnswer.nullable().optional(),
        unpriced: z.array(z.string()).optional(),
        budgets: z.array(z.object({ budgetId: z.string() })).optional(),
      }).meta({ id: 'DryRunResult' }),
    ),
  })
  .meta({ id: 'DryRunResults' });

const Group = z.looseObject({ spend: MoneyAnswer.or(z.array(MoneyAnswer)).optional() });
export const UsageBreakdown = z.looseObject({ data: z.array(Group).optional() }).meta({ id: 'UsageBreakdown' });
export const UsageSummary = z.looseObject({}).meta({ id: 'UsageSummary' });

/** One line of a budget's history: usage as it was recorded, a void or a rerating of it, or what was refused. */
const CountedUsage = z
  .looseObject({
    kind: z.enum(['usage', 'void', 'rerate', 'refused']),
    eventId: z.string().describe('Of the event this line is'),
    usageEventId: z.string().optional().describe('Of a void or a rerating: the usage it is about'),
    id: z.string(),
    source: z.string(),
    occurredAt: Instant,
    recordedAt: Instant,
    scopes: z.array(z.string()),
    status: z
      .enum(['succeeded', 'failed', 'refused'])
      .describe('`refused`: a reservation that was asked for and not granted; it charged nothing'),
    cost: MoneyAnswer.nullable(),
    previousCost: MoneyAnswer.nullable().optional().describe('Of a void or a rerating: what the usage cost before'),
    amount: Amount.nullable().describe(
      "What the line adds, in the budget's currency: all lines add up to the balance. null while a price or an exchange rate is missing",
    ),
    currentAmount: Amount.nullable().optional().describe('Of usage that was voided or rerated: what it comes to now'),
    currency: z.string(),
    voided: z.boolean().describe('The usage was voided; so are all lines about it'),
    rerated: z.boolean(),
    code: z.string().optional().describe('Why it was refused'),
    count: z.int().optional().describe('Refusals that it stands for'),
    flags: z
      .array(
        z.enum(['SettledOverReservation', 'SettledAfterExpiry', 'SettledAfterRelease', 'SettledTwice', 'UnknownReservation', 'unreserved']),
      )
      .optional()
      .describe('What is out of the ordinary; `unreserved`: it names no reservation, and the budget blocked when it was recorded'),
    overrideIds: z.array(z.string()).optional().describe('Without these overrides the reservation that it settles would have been refused'),
    position: Position,
  })
  .meta({ id: 'CountedUsage' });
export const BudgetUsageList = listOf(CountedUsage).meta({ id: 'BudgetUsageList' });

/** `POST /budgets/:id/usage`. */
export const RecordedUsage = z
  .object({
    eventId: z.string(),
    id: z.string(),
    source: z.string(),
    status: z.enum(['accepted', 'duplicate']),
    budgetId: z.string(),
    scopes: z.array(z.string()),
    position: Position,
  })
  .meta({ id: 'RecordedUsage' });
