import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { Checkpoints } from '../adapters/sql/checkpoints.js';
import { isHeld } from '../adapters/sql/holds.js';
import { positionText } from '../adapters/sql/snapshot.js';
import { Moments } from '../adapters/store/moments.js';
import { Rejection } from '../domain/rejection.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';

const MAX_WAIT_MS = 3_000;

/** DELETE /budgets/:id: 409 while something is held on it, 503 while that is not known; gone from lists and folds from its position on; its history stays in the ledger. */
@Injectable()
export class DeleteBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly moments: Moments,
    private readonly checkpoints: Checkpoints,
    private readonly db: Kysely<Database>,
  ) {}

  async execute(context: CommandContext, budgetId: string, ifMatch: IfMatch): Promise<Answer> {
    // What was granted a moment ago is in the store, and perhaps not folded yet.
    const { partition: at, position: head } = await this.moments.head(context.tenant);
    if (!(await this.checkpoints.passed('budget', at, head, MAX_WAIT_MS)))
      throw new Problem('overloaded', 'What is held on the budget is not known yet.', { retryAfter: 1 });
    if (await isHeld(this.db, context.tenant, budgetId))
      throw new Rejection('in_use', 'The budget has open reservations; release them or let them expire.');
    const { partition, position } = await this.decided.run(context, { type: 'DeleteBudget', budgetId }, ifMatch);
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }
}
