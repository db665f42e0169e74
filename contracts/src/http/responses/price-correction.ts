import { z } from 'zod';
import { Amount, Instant, MoneyAnswer, Position } from './common.js';

const Difference = z.object({ currency: z.string(), events: z.int(), previous: Amount, cost: Amount, difference: Amount });

/** What a correction of prices changes: exactly, at the position that the answer names. */
export const PriceCorrectionReport = z
  .object({
    position: Position.describe('The differences are to what stood here'),
    rerated: z.int().describe('Usage that was rated and costs something else'),
    priced: z.int().describe('Usage that waited for a price and gets one'),
    differences: z.array(Difference).describe('By the currency of the cost'),
    budgets: z.array(
      z.object({
        budgetId: z.string(),
        name: z.string(),
        scope: z.string(),
        currency: z.string(),
        difference: Amount,
        periods: z.array(
          z.object({
            start: Instant,
            end: Instant,
            events: z.int(),
            previousSpend: Amount,
            spend: Amount,
            difference: Amount,
            thresholds: z.array(z.object({ threshold: z.string(), severity: z.string(), change: z.enum(['crossed', 'cleared']) })),
          }),
        ),
      }),
    ),
    scopes: z.array(z.object({ scope: z.string(), differences: z.array(z.object({ currency: z.string(), difference: Amount })) })),
    usage: z
      .array(z.object({ eventId: z.string(), id: z.string(), previousCost: MoneyAnswer.nullable(), cost: MoneyAnswer }))
      .describe('The newest of them'),
    truncated: z.boolean().describe('More budgets, scopes or usage are concerned than are listed; the totals are of all'),
  })
  .meta({ id: 'PriceCorrectionReport' });

/** `POST /price-lists/:id/correct`. `applying`: more usage than one request waits for; it goes on by itself. */
export const PriceCorrectionResult = z
  .object({
    listId: z.string(),
    dryRun: z.boolean(),
    status: z.enum(['dry_run', 'applied', 'applying']),
    correctionId: z.string().nullable(),
    report: PriceCorrectionReport.nullable().describe('null: of a real run that had no time for it; a dry run always has one'),
    position: Position,
  })
  .meta({ id: 'PriceCorrectionResult' });
