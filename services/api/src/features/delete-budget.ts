import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';

/** DELETE /budgets/:id: gone from lists and folds from its position on; its history stays in the ledger. */
@Injectable()
export class DeleteBudget {
  constructor(private readonly decided: DecidedBudget) {}

  async execute(context: CommandContext, budgetId: string, ifMatch: IfMatch): Promise<Answer> {
    const { partition, position } = await this.decided.run(context, { type: 'DeleteBudget', budgetId }, ifMatch);
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }
}
