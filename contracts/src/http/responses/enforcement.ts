import { z } from 'zod';
import { Amount, Instant, listOf, MoneyAnswer, Position } from './common.js';

/** Why a check says no. Those that money decides are the codes of a refused reservation too. */
export const CheckCode = z
  .enum(['budget_paused', 'budget_incomplete', 'budget_exceeded', 'rate_missing', 'model_not_allowed', 'approval_required'])
  .meta({ id: 'CheckCode' });

/** What a reached threshold asks of whoever spends. */
export const SuggestedAction = z
  .looseObject({
    action: z.enum(['restrict-models', 'require-approval', 'block-all', 'auto-downgrade']),
    budgetId: z.string().optional().meta({ description: 'Absent: the reader may not see that budget' }),
    allowedModels: z.array(z.string()).optional(),
    downgrade: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'SuggestedAction' });

const figures = {
  code: CheckCode.optional(),
  budgetId: z.string().optional().meta({ description: 'The tightest budget; absent: none applies, or the reader may not see it' }),
  scope: z.string().optional(),
  currency: z.string().optional().meta({ description: 'Of every amount here: the deciding budget’s' }),
  currentSpend: Amount.optional(),
  reserved: Amount.optional().meta({ description: 'Held, also by what was decided a moment ago' }),
  limit: Amount.nullable().optional().meta({ description: 'The effective one; null: unlimited' }),
  blockPoint: Amount.nullable().optional(),
  remaining: Amount.nullable().optional().meta({
    description:
      'Effective limit minus spend and holds, negative past it; null: nothing limits it; absent: the reader may not see the budget',
  }),
  graceRemaining: Amount.nullable().optional().meta({ description: 'To the block point' }),
  suggestedActions: z.array(SuggestedAction),
  resetAt: Instant.optional(),
  worstOvershoot: Amount.meta({
    description: 'By how much this spend may pass the block point if others use the room up meanwhile: a check holds nothing',
  }),
  position: Position,
};

/** `POST /check`. */
export const CheckAnswer = z.looseObject({ allowed: z.boolean(), reason: z.string().optional(), ...figures }).meta({ id: 'CheckAnswer' });

/** `POST /budgets/:id/check-constraints`. */
export const ConstraintsAnswer = z
  .looseObject({ canProceed: z.boolean(), reason: z.string().nullable(), ...figures })
  .meta({ id: 'ConstraintsAnswer' });

/** `GET /me/budget`: the tightest of the budgets that apply to the caller, as a check says it. */
export const MyBudgetAnswer = z
  .looseObject({
    scopes: z.array(z.string()).meta({ description: 'Whose budgets these are: the key’s' }),
    canSpend: z.boolean().meta({ description: 'Is there any room at all?' }),
    reason: z.string().nullable(),
    ...figures,
  })
  .omit({ worstOvershoot: true })
  .meta({ id: 'MyBudgetAnswer' });

const ExpiredOverride = z.object({ overrideId: z.string(), amount: MoneyAnswer.nullable(), expiresAt: Instant, reason: z.string() });

/** What filled a budget: the largest usage of its period. */
const Contribution = z.object({
  eventId: z.string(),
  position: Position,
  occurredAt: Instant,
  scopes: z.array(z.string()),
  amount: Amount.meta({ description: 'Counted by the budget, in its currency' }),
  description: z.string().nullable(),
});

const ExplainedBudget = z.looseObject({
  budgetId: z.string(),
  name: z.string(),
  scope: z.string(),
  mode: z.enum(['block', 'notify', 'off']),
  decided: z.boolean(),
  amount: Amount.nullable().meta({ description: 'What is explained, in this budget’s currency; null: no amount, or no rate for it' }),
  fits: z.boolean().nullable().meta({ description: 'Was there room for it? null: nothing was asked of this budget' }),
  currency: z.string(),
  currentSpend: Amount,
  reserved: Amount.meta({ description: 'Held, also by what was decided before this and folded later' }),
  effectiveLimit: Amount.nullable(),
  blockPoint: Amount.nullable(),
  remaining: Amount.nullable(),
  graceRemaining: Amount.nullable(),
  expiredOverrides: z.array(ExpiredOverride).meta({ description: 'Grants that had ended by then, in this period' }),
  eventCount: z.int().meta({ description: 'Usage counted in the period by then' }),
  events: z.array(Contribution).meta({ description: 'The largest of them, largest first' }),
});

/** `POST /explain`. */
export const ExplainAnswer = z
  .looseObject({
    subject: z.object({ kind: z.enum(['decision', 'event', 'alert', 'check']), id: z.string().nullable(), type: z.string().nullable() }),
    at: Instant,
    position: Position.meta({ description: 'As of which everything here is' }),
    scopes: z.array(z.string()),
    path: z.array(z.string()).meta({ description: 'The scopes and all above them, the root last' }),
    amount: MoneyAnswer.nullable(),
    allowed: z.boolean().nullable().meta({ description: 'null: it was no question' }),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    decidedBy: z.string().nullable().meta({ description: 'budgetId' }),
    count: z.int().optional().meta({ description: 'Refusals that this one stands for' }),
    budgets: z.array(ExplainedBudget).meta({ description: 'Every one that applied, nearest scope first' }),
  })
  .meta({ id: 'ExplainAnswer' });
const hold = {
  reservationId: z.string(),
  status: z.enum(['held', 'settled', 'released', 'expired']),
  amount: Amount,
  currency: z.string(),
  category: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  path: z.array(z.string()).meta({ description: 'Whom its settlement charges, whatever the tree becomes' }),
  grantedAt: Instant.meta({ description: 'Says in which period it is, and by which exchange rate it is settled' }),
  expiresAt: Instant,
  budgets: z
    .array(z.object({ budgetId: z.string(), periodStart: Instant, amount: Amount }))
    .meta({ description: 'What it holds of each budget that the reader may see, in the budget’s currency' }),
  overrideIds: z.array(z.string()).optional().meta({ description: 'Live overrides without which it would have been refused' }),
  unpriced: z
    .array(z.string())
    .optional()
    .meta({ description: 'Units without a price: no budget that blocks at a limit applied, so it was granted and holds 0' }),
  position: Position,
};

/** `POST /reservations`. */
export const ReservationAnswer = z
  .looseObject({
    ...hold,
    budgetId: z.string().optional().meta({ description: 'The tightest budget; absent: none applies, or the reader may not see it' }),
    remaining: Amount.nullable().optional().meta({
      description: 'Of its effective limit once this is held; absent: the reader may not see the budget',
    }),
    graceRemaining: Amount.nullable().optional().meta({ description: 'To its block point' }),
    worstOvershoot: Amount.meta({ description: 'Always 0: what it holds nobody else can spend' }),
  })
  .meta({ id: 'ReservationAnswer' });

/** `GET /reservations/:id`. */
export const Reservation = z
  .looseObject({
    ...hold,
    endedAt: Instant.nullable(),
    settledBy: z
      .string()
      .nullable()
      .meta({ description: 'Event id of the first usage that named it; while it is still held, that usage waits for its price or rate' }),
    actual: Amount.nullable().meta({ description: 'What that cost, in the currency of the hold' }),
    flags: z.array(z.enum(['SettledOverReservation', 'SettledAfterExpiry', 'SettledAfterRelease', 'SettledTwice', 'UnknownReservation'])),
  })
  .meta({ id: 'Reservation' });

/** `GET /budgets/:id/reservations`. */
export const ReservationList = listOf(Reservation);
