import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { CONSUMER } from './checkpoints.js';
import type { PeriodRef } from './ended-periods.js';

type Session = Kysely<Database>;
/** `position` null: it was left behind by the consumer of the ledger. */
export type LatePeriod = PeriodRef & Readonly<{ position: number | null }>;

/** Partitions with balances that changed after their period's end and were not looked at. */
export const partitionsWithLate = async (db: Session): Promise<readonly number[]> => {
  const { rows } = await sql<{ partition: number }>`
    SELECT c.partition FROM projection.checkpoint c LEFT JOIN scheduler.looked_through d ON d.partition = c.partition
    WHERE c.projection = ${CONSUMER} AND (
      EXISTS (SELECT FROM scheduler.recheck r WHERE r.partition = c.partition)
      OR EXISTS (SELECT FROM projection.late l WHERE l.partition = c.partition AND l.position > coalesce(d.position, 0)))`.execute(db);
  return rows.map(({ partition }) => partition);
};

/** Locks how far a partition was looked through, and answers it; null: another process is at it. */
export const lockLooked = async (trx: Session, partition: number): Promise<number | null> => {
  await sql`
    INSERT INTO scheduler.looked_through (partition, position) VALUES (${partition}, 0) ON CONFLICT DO NOTHING`.execute(trx);
  const { rows } = await sql<{ position: number }>`
    SELECT position FROM scheduler.looked_through WHERE partition = ${partition} FOR UPDATE SKIP LOCKED`.execute(trx);
  return rows[0]?.position ?? null;
};

/** What to look at next, in the order of the ledger, what was left behind first. */
export const latePeriods = async (trx: Session, partition: number, after: number, most: number): Promise<readonly LatePeriod[]> => {
  const { rows } = await sql<{ tenant: string; budget_id: string; period_start: string; position: number | null }>`
    (SELECT tenant, budget_id, period_start, NULL::bigint AS position FROM scheduler.recheck WHERE partition = ${partition} LIMIT ${most})
    UNION ALL
    (SELECT tenant, budget_id, period_start, position FROM projection.late
     WHERE partition = ${partition} AND position > ${after}
       AND position <= (SELECT position FROM projection.checkpoint WHERE projection = ${CONSUMER} AND partition = ${partition})
     ORDER BY position LIMIT ${most})`.execute(trx);
  return rows.map(({ tenant, budget_id, period_start, position }) => ({
    tenant,
    budgetId: budget_id,
    periodStart: period_start,
    position,
  }));
};

/** They were looked at. */
export const looked = async (trx: Session, partition: number, periods: readonly LatePeriod[]): Promise<void> => {
  const positions = periods.flatMap(({ position }) => position ?? []);
  if (positions.length > 0) {
    await sql`UPDATE scheduler.looked_through SET position = ${Math.max(...positions)} WHERE partition = ${partition}`.execute(trx);
  }
  for (const { tenant, budgetId, periodStart, position } of periods) {
    if (position !== null) continue;
    await sql`
      DELETE FROM scheduler.recheck
      WHERE tenant = ${tenant} AND budget_id = ${budgetId} AND period_start = ${periodStart}`.execute(trx);
  }
};
