import { formatInstant, type Period } from '@bursar/contracts';
import { currentPeriod } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Moment } from './snapshot.js';

export type BudgetRow = Selectable<Database['projection.budget']>;
export type BalanceRow = Selectable<Database['projection.balance']>;
export type CrossingRow = Selectable<Database['projection.crossing']>;

/** A budget in its current period by the database's clock: everything its status is computed from. */
export type Standing = Readonly<{
  budget: BudgetRow;
  /** null: no period holds this moment. */
  period: Period | null;
  /** null: nothing was spent in it yet. */
  balance: BalanceRow | null;
  /** Crossings of this period that stand. */
  active: readonly CrossingRow[];
}>;

/** Three reads, however many budgets. In the order of `budgets`. */
export const loadStandings = async (
  trx: Kysely<Database>,
  tenant: string,
  budgets: readonly BudgetRow[],
  moment: Moment,
): Promise<readonly Standing[]> => {
  const periods = budgets.map((budget) => currentPeriod(budget.definition, moment.now));
  const ids = budgets.map((budget) => budget.budget_id);
  // PostgreSQL keeps microseconds: a finer boundary is rounded on the way in, here and where the projector stored it, alike.
  const starts = periods.map((period) => (period === null ? null : formatInstant(period.start)));
  const current = sql`unnest(${ids}::text[], ${starts}::timestamptz[]) AS current(budget_id, period_start)`;
  const { rows: balances } = await sql<BalanceRow>`
    SELECT balance.* FROM ${current} JOIN projection.balance AS balance USING (budget_id, period_start)
    WHERE balance.tenant = ${tenant}`.execute(trx);
  const { rows: crossings } = await sql<CrossingRow>`
    SELECT crossing.* FROM ${current} JOIN projection.crossing AS crossing USING (budget_id, period_start)
    WHERE crossing.tenant = ${tenant} AND crossing.cleared_at IS NULL
    ORDER BY crossing.cause_position DESC, crossing.cause_index DESC`.execute(trx);
  const balanceOf = new Map(balances.map((row) => [row.budget_id, row]));
  const activeOf = Map.groupBy(crossings, (row) => row.budget_id);
  return budgets.map((budget, index) => ({
    budget,
    period: periods[index] ?? null,
    balance: balanceOf.get(budget.budget_id) ?? null,
    active: activeOf.get(budget.budget_id) ?? [],
  }));
};
