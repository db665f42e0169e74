import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';

/** POST /budgets/:id/pause and /resume, by hand: a pause survives the period's end. What is so already records nothing. */
@Injectable()
export class PauseBudget {
  constructor(private readonly decided: DecidedBudget) {}

  pause(context: CommandContext, budgetId: string, reason: string | null): Promise<Answer> {
    return this.#run(context, 'PauseBudget', budgetId, reason);
  }

  resume(context: CommandContext, budgetId: string, reason: string | null): Promise<Answer> {
    return this.#run(context, 'ResumeBudget', budgetId, reason);
  }

  async #run(context: CommandContext, type: 'PauseBudget' | 'ResumeBudget', budgetId: string, reason: string | null): Promise<Answer> {
    const outcome = await this.decided.run(context, { type, budgetId, reason });
    return this.decided.answer(context.tenant, outcome, 200);
  }
}
