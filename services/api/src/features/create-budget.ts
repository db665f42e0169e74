import { derivedId } from '@bursar/contracts';
import { type BudgetInput, withCurrency } from '@bursar/contracts/http';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import { BudgetTemplates } from './templates.js';

/** POST /budgets. The id derives from the request's, so that the same request, sent again, is the same budget. */
@Injectable()
export class CreateBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly settings: SettingsOfTenant,
    private readonly templates: BudgetTemplates,
  ) {}

  /** `sent`: the body as it came, which says what it leaves to the template of this door (PRODUCT B6). */
  async execute(context: CommandContext, sent: unknown, read: BudgetInput): Promise<Answer> {
    const { tenant } = context;
    const input = (await this.templates.door(tenant, 'budget'))(sent, read);
    const budgetId = derivedId('budget', tenant, context.requestId);
    const definition = withCurrency(input, input.limit.currency ?? (await this.settings.of(tenant)).currency);
    const outcome = await this.decided.run(context, { type: 'CreateBudget', tenant, budgetId, definition });
    return this.decided.answer(tenant, outcome, 201, { location: `/api/v1/budgets/${budgetId}` });
  }
}
