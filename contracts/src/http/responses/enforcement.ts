import { z } from 'zod';
import { Amount, Instant, Position } from './common.js';

/** Why a check says no. Those that money decides are the codes of a refused reservation too. */
export const CheckCode = z
  .enum(['budget_paused', 'budget_incomplete', 'budget_exceeded', 'rate_missing', 'model_not_allowed', 'approval_required'])
  .meta({ id: 'CheckCode' });

/** What a reached threshold asks of whoever spends. */
export const SuggestedAction = z
  .looseObject({
    action: z.enum(['restrict-models', 'require-approval', 'block-all', 'auto-downgrade']),
    budgetId: z.string(),
    allowedModels: z.array(z.string()).optional(),
    downgrade: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'SuggestedAction' });

const figures = {
  code: CheckCode.optional(),
  budgetId: z.string().optional().meta({ description: 'The tightest budget; absent: none applies' }),
  scope: z.string().optional(),
  currency: z.string().optional().meta({ description: 'Of every amount here: the deciding budget’s' }),
  currentSpend: Amount.optional(),
  limit: Amount.nullable().optional().meta({ description: 'The effective one; null: unlimited' }),
  blockPoint: Amount.nullable().optional(),
  remaining: Amount.nullable().meta({ description: 'Effective limit minus spend, negative past it; null: nothing limits it' }),
  graceRemaining: Amount.nullable().meta({ description: 'To the block point' }),
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
