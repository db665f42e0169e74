import { derivedId } from '@bursar/contracts';
import { type BudgetInput, withCurrency } from '@bursar/contracts/http';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import { SettingsOfTenant } from './settings-of-tenant.js';

/** POST /budgets. The id derives from the request's, so that the same request, sent again, is the same budget. */
@Injectable()
export class CreateBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly settings: SettingsOfTenant,
  ) {}

  async execute(context: CommandContext, input: BudgetInput): Promise<Answer> {
    const { tenant } = context;
    const budgetId = derivedId('budget', tenant, context.requestId);
    const definition = withCurrency(input, input.limit.currency ?? (await this.settings.of(tenant)).currency);
    const outcome = await this.decided.run(context, { type: 'CreateBudget', tenant, budgetId, definition });
    return this.decided.answer(tenant, outcome, 201, { location: `/api/v1/budgets/${budgetId}` });
  }
}
