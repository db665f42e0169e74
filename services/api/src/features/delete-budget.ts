import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';
import { Unheld } from './unheld.js';

/** DELETE /budgets/:id: 409 while something is held on it, 503 while that is not known; gone from lists and folds from its position on; its history stays in the ledger. */
@Injectable()
export class DeleteBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly unheld: Unheld,
  ) {}

  async execute(context: CommandContext, budgetId: string, ifMatch: IfMatch): Promise<Answer> {
    await this.unheld.require(context.tenant, budgetId);
    const { partition, position } = await this.decided.run(context, { type: 'DeleteBudget', budgetId }, ifMatch);
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }
}
