import { partitionOf } from '@bursar/contracts';
import type { BudgetStatusName } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { type BudgetFilter, type BudgetPlace, pageOfBudgets, placeOf } from '../adapters/sql/budgets.js';
import { type Moment, onSnapshot } from '../adapters/sql/snapshot.js';
import { type BudgetRow, loadStandings } from '../adapters/sql/standings.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { type BudgetView, showBudget } from './budget-view.js';
import { Cursors, type Place } from './cursors.js';
import type { PageQuery } from './paging.js';

export type ListBudgetsQuery = PageQuery & Readonly<{ filter: BudgetFilter; status?: BudgetStatusName }>;

/** Rows looked at for one page: a rare status in a large tenant gives short pages rather than slow ones. */
const MAX_SCANNED = 2_000;
const SCAN = 200;

/** Budgets, newest first, each with its status. A status is computed, so filtering by it looks at rows until the page is full. */
@Injectable()
export class ListBudgets {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly cursors: Cursors,
    private readonly installation: Installation,
  ) {}

  execute(tenant: string, query: ListBudgetsQuery): Promise<Answer> {
    const list = ['budgets', query.filter, query.status ?? null];
    const start = query.cursor === undefined ? null : toPlace(this.cursors.read(tenant, list, query.cursor));
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const found: BudgetView[] = [];
      let after = start;
      for (let scanned = 0; scanned < MAX_SCANNED; scanned += SCAN) {
        const size = query.status === undefined ? query.limit + 1 : SCAN;
        const { rows, searchedTo } = await pageOfBudgets(trx, tenant, query.filter, after, size);
        for (const [row, view] of await show(trx, tenant, rows, moment)) {
          if (query.status !== undefined && view.status.status !== query.status) continue;
          if (found.length === query.limit) return this.#page(tenant, list, found, after);
          found.push(view);
          after = placeOf(row);
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < size) return this.#page(tenant, list, found, searchedTo);
        after = placeOf(last);
      }
      return this.#page(tenant, list, found, after);
    });
  }

  #page(tenant: string, list: unknown, data: readonly BudgetView[], after: BudgetPlace | null): Answer {
    const nextCursor = after === null ? null : this.cursors.write(tenant, list, [after.createdPosition, after.budgetId]);
    return ok({ data, nextCursor });
  }
}

const show = async (
  trx: Kysely<Database>,
  tenant: string,
  rows: readonly BudgetRow[],
  moment: Moment,
): Promise<readonly (readonly [BudgetRow, BudgetView])[]> => {
  const standings = await loadStandings(trx, tenant, rows, moment);
  return standings.map((standing) => [standing.budget, showBudget(standing, moment)] as const);
};

const toPlace = ([createdPosition, budgetId]: Place): BudgetPlace => ({
  createdPosition: Number(createdPosition),
  budgetId: String(budgetId),
});
