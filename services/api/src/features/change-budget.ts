import { type BudgetDefinition, formatInstant, NS_PER_MS } from '@bursar/contracts';
import { type BudgetInput, type BudgetPatch, mergeBudget, withCurrency } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { invalid } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';

/** PUT and PATCH /budgets/:id. Without If-Match the last writer wins, and both are in the history (RELIABILITY IN-G8). */
@Injectable()
export class ChangeBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly store: EventStore,
  ) {}

  replace(context: CommandContext, budgetId: string, input: BudgetInput, ifMatch: IfMatch): Promise<Answer> {
    return this.#change(context, budgetId, ifMatch, (current) => withCurrency(input, current.limit.currency));
  }

  patch(context: CommandContext, budgetId: string, patch: BudgetPatch, ifMatch: IfMatch): Promise<Answer> {
    return this.#change(context, budgetId, ifMatch, (current) => {
      const merged = mergeBudget(current, patch);
      if (!merged.ok) throw invalid(merged.errors);
      return withCurrency(merged.value, current.limit.currency);
    });
  }

  async #change(
    context: CommandContext,
    budgetId: string,
    ifMatch: IfMatch,
    revise: (current: BudgetDefinition) => BudgetDefinition,
  ): Promise<Answer> {
    const { tenant } = context;
    const now = formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
    const outcome = await this.decided.run(context, { type: 'ChangeBudget', tenant, budgetId, revise, now }, ifMatch);
    return this.decided.answer(tenant, outcome, 200);
  }
}
