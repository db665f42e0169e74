import { partitionOf } from '@bursar/contracts';
import type { BudgetStatus } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import { loadStandings } from '../adapters/sql/standings.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { showStatus } from './budget-view.js';
import { GetPast } from './get-past.js';
import { LongReads } from './long-reads.js';

/** What a balance is, of all that a status says; the rest follows from it and the definition. */
const FIGURES = ['currentSpend', 'reserved', 'waiting', 'rolledOver', 'effectiveLimit', 'periodStart', 'periodEnd'] as const;

/**
 * POST /budgets/:id/refresh-cache: the balance as the tables have it, against the same added up from the ledger, at one position and by
 * one clock. It changes nothing: tables are the projector's, whose memory would differ from a corrected row, and what differs is repaired
 * by a rebuild. Both figures are said, and the status is the ledger's.
 */
@Injectable()
export class RefreshCache {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly past: GetPast,
    private readonly long: LongReads,
    private readonly installation: Installation,
  ) {}

  /** Throws 404, and 503 `counting` while the ledger is still being read: ask again. */
  execute(tenant: string, budgetId: string): Promise<Answer> {
    return this.long.answer(['refresh-cache', tenant, budgetId], () => this.#compare(tenant, budgetId));
  }

  async #compare(tenant: string, budgetId: string): Promise<Answer> {
    const { cached, moment } = await this.#cached(tenant, budgetId);
    const ledger = await this.past.statusAt(tenant, budgetId, moment);
    const differences = FIGURES.filter((field) => cached[field] !== ledger[field]).map((field) => ({
      field,
      cached: cached[field],
      ledger: ledger[field],
    }));
    return ok({ budgetId, differed: differences.length > 0, differences, position: cached.position, status: ledger });
  }

  #cached(tenant: string, budgetId: string) {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const budget = await findBudget(trx, tenant, budgetId);
      if (budget === undefined) throw new Problem('not_found', 'There is no such budget.');
      const [standing] = await loadStandings(trx, tenant, [budget], moment);
      if (standing === undefined) throw new Error('one budget has one standing');
      const cached: BudgetStatus = showStatus(standing, moment);
      return { cached, moment };
    });
  }
}
