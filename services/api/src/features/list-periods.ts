import { type EpochNs, formatInstant, type Period, parseInstant, partitionOf, periodAt } from '@bursar/contracts';
import { currentPeriod } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { figuresOf, firstUsedPeriod } from '../adapters/sql/periods.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import { type BudgetRow, loadCarried } from '../adapters/sql/standings.js';
import { showPeriod } from '../domain/budget-period.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';
import type { PageQuery } from './paging.js';

/**
 * GET /budgets/:id/periods, newest first: from the one that holds now, or the only one, back to the one that the budget was made in, or
 * that of its first usage. A period is there by the clock, whether or not the scheduler has said so yet.
 */
@Injectable()
export class ListPeriods {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly cursors: Cursors,
    private readonly installation: Installation,
  ) {}

  execute(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    const list = ['budget-periods', budgetId];
    const after = query.cursor === undefined ? null : parseInstant(String(this.cursors.read(tenant, list, query.cursor)[0]));
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, { now }) => {
      const budget = await findBudget(trx, tenant, budgetId);
      if (budget === undefined) throw new Problem('not_found', 'There is no such budget.');
      const first = await firstUsedPeriod(trx, tenant, budgetId);
      const created = parseInstant(budget.created_at);
      const since = first !== null && parseInstant(first) < created ? parseInstant(first) : created;
      const found = periodsBack(budget, after, now, since, query.limit + 1);
      const shown = found.slice(0, query.limit);
      const last = found.length > query.limit ? shown.at(-1) : undefined;
      return ok({
        data: await show(trx, tenant, budget, shown, now),
        nextCursor: last === undefined ? null : this.cursors.write(tenant, list, [formatInstant(last.start)]),
      });
    });
  }
}

const periodsBack = ({ definition }: BudgetRow, after: EpochNs | null, now: EpochNs, since: EpochNs, most: number): readonly Period[] => {
  const found: Period[] = [];
  let next = after === null ? currentPeriod(definition, now) : periodAt(definition.period, after - 1n);
  while (next !== null && found.length < most && (next.end > since || found.length + (after === null ? 0 : 1) === 0)) {
    found.push(next);
    next = periodAt(definition.period, next.start - 1n);
  }
  return found;
};

const show = async (
  trx: Kysely<Database>,
  tenant: string,
  budget: BudgetRow,
  periods: readonly Period[],
  now: EpochNs,
): Promise<readonly object[]> => {
  const { definition, controls, terms } = budget;
  const figures = await figuresOf(trx, tenant, budget.budget_id, periods);
  const carried = await loadCarried(
    trx,
    tenant,
    periods.map(() => budget),
    periods,
    false,
  );
  return periods.map((period, index) => {
    const { balance, ended } = figures[index] ?? { balance: null, ended: null };
    // A period of an earlier calendar may have started where this one does.
    const isOf = ended?.ended.periodEnd === formatInstant(period.end);
    return showPeriod({
      definition,
      controls,
      terms,
      period,
      balance,
      carried: carried[index] ?? 0n,
      ended: isOf ? ended.ended : null,
      restatements: isOf ? ended.restatements : [],
      now,
    });
  });
};
