import type { Database } from '@bursar/database';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { BalanceRow, BudgetKey, LateRow, ThresholdRow } from '../../features/batches.js';
import { column } from './columns.js';

type Session = Kysely<Database>;

/** A part of `advance`. */
export const upsertBalances = (rows: readonly BalanceRow[]): RawBuilder<unknown> => sql`
  balances AS (
    INSERT INTO projection.balance AS balance (tenant, budget_id, period_start, period_end, spend, events, failed_spend, failed_events,
      waiting, last_usage_at, position, updated_at)
    SELECT u.* FROM fence, unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.budgetId)},
      ${column(rows, 'timestamptz', (row) => row.periodStart)},
      ${column(rows, 'timestamptz', (row) => row.periodEnd)},
      ${column(rows, 'numeric', (row) => row.spend)},
      ${column(rows, 'bigint', (row) => row.events)},
      ${column(rows, 'numeric', (row) => row.failedSpend)},
      ${column(rows, 'bigint', (row) => row.failedEvents)},
      ${column(rows, 'bigint', (row) => row.waiting)},
      ${column(rows, 'timestamptz', (row) => row.lastUsageAt)},
      ${column(rows, 'bigint', (row) => row.position)},
      ${column(rows, 'timestamptz', (row) => row.updatedAt)}
    ) AS u
    ON CONFLICT (tenant, budget_id, period_start) DO UPDATE SET
      spend = excluded.spend, events = excluded.events, failed_spend = excluded.failed_spend, failed_events = excluded.failed_events,
      waiting = excluded.waiting, last_usage_at = excluded.last_usage_at, position = excluded.position, updated_at = excluded.updated_at
  )`;

/** The budgets count anew: their balances go, and nothing waits for them any more. Their thresholds keep their episodes. */
export const forgetBalances = async (db: Session, budgets: readonly BudgetKey[]): Promise<void> => {
  for (const { tenant, budgetId } of budgets) {
    await sql`DELETE FROM projection.balance WHERE tenant = ${tenant} AND budget_id = ${budgetId}`.execute(db);
    await sql`
      UPDATE projection.waiting SET budget_ids = array_remove(budget_ids, ${budgetId})
      WHERE projection = 'budget' AND tenant = ${tenant} AND reason = 'rate' AND ${budgetId} = ANY (budget_ids)`.execute(db);
    await sql`
      DELETE FROM projection.waiting
      WHERE projection = 'budget' AND tenant = ${tenant} AND reason = 'rate' AND budget_ids = '{}'`.execute(db);
  }
};

export const writeThresholds = async (db: Session, rows: readonly ThresholdRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.threshold (tenant, budget_id, period_start, threshold, crossed, episode)
    SELECT * FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.budgetId)},
      ${column(rows, 'timestamptz', (row) => row.periodStart)},
      ${column(rows, 'text', (row) => row.threshold)},
      ${column(rows, 'boolean', (row) => row.crossed)},
      ${column(rows, 'int', (row) => row.episode)})
    ON CONFLICT (tenant, budget_id, period_start, threshold) DO UPDATE SET crossed = excluded.crossed, episode = excluded.episode`.execute(
    db,
  );
};

/** Changed after their period's end, at the position of the last such change. */
export const writeLate = async (db: Session, partition: number, rows: readonly LateRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.late (tenant, budget_id, period_start, partition, position)
    SELECT u.tenant, u.budget_id, u.period_start, ${partition}::int, u.position FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.budgetId)},
      ${column(rows, 'timestamptz', (row) => row.periodStart)},
      ${column(rows, 'bigint', (row) => row.position)}) AS u (tenant, budget_id, period_start, position)
    ON CONFLICT (tenant, budget_id, period_start) DO UPDATE SET position = excluded.position`.execute(db);
};
