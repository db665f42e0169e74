import { partitionOf } from '@bursar/contracts';
import { automaticPause } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import type { BudgetCommand } from '../domain/budget.js';
import { Installation } from '../installation.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';

/**
 * POST /budgets/:id/pause and /resume, by hand: a pause survives the period's end, and a resume ends an automatic one too. What is so
 * already records nothing.
 */
@Injectable()
export class PauseBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
  ) {}

  pause(context: CommandContext, budgetId: string, reason: string | null): Promise<Answer> {
    return this.#run(context, { type: 'PauseBudget', budgetId, reason });
  }

  async resume(context: CommandContext, budgetId: string, reason: string | null): Promise<Answer> {
    const isLatched = await this.#isLatched(context.tenant, budgetId);
    return this.#run(context, { type: 'ResumeBudget', budgetId, reason, isLatched });
  }

  async #run(context: CommandContext, command: BudgetCommand): Promise<Answer> {
    const outcome = await this.decided.run(context, command);
    return this.decided.answer(context.tenant, outcome, 200);
  }

  /** As statuses show it: nobody resumes what he cannot see paused. */
  #isLatched(tenant: string, budgetId: string): Promise<boolean> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, { now }) => {
      const row = await findBudget(trx, tenant, budgetId);
      return row !== undefined && automaticPause(row.controls, now) !== null;
    });
  }
}
