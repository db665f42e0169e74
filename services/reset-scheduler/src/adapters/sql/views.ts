import { type EpochNs, formatInstant, parseInstant, parsePicos } from '@bursar/contracts';
import { column, type Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { BudgetThen, Sums } from '../../domain/view.js';
import type { BudgetKey } from './timers.js';

type BudgetRow = Selectable<Database['projection.budget']>;

/** A budget's row on the snapshot. */
export type ProjectedBudget = Readonly<{ now: BudgetThen; updatedAt: EpochNs }>;
export type PeriodKey = BudgetKey & Readonly<{ start: EpochNs }>;

/** The projection at one position: budgets, and the balances that the caller asks for once it knows the budgets. */
export type ProjectionSnapshot = Readonly<{
  position: number;
  /** In the order asked for; null: there is none, or it was deleted. */
  budgets: readonly (ProjectedBudget | null)[];
  /** By {@link periodKey}; what has no balance is absent. */
  sums: ReadonlyMap<string, Sums>;
}>;

export const periodKey = ({ tenant, budgetId, start }: PeriodKey): string => `${tenant}\u0000${budgetId}\u0000${start}`;

/** Reads on one snapshot: definition, balances and position belong together. */
export const readProjection = (
  db: Kysely<Database>,
  partition: number,
  keys: readonly BudgetKey[],
  periodsOf: (budgets: readonly (ProjectedBudget | null)[]) => readonly PeriodKey[],
): Promise<ProjectionSnapshot> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const { rows } = await sql<{ position: number }>`
        SELECT position FROM projection.checkpoint WHERE projection = 'budget' AND partition = ${partition}`.execute(trx);
      const budgets = await readBudgets(trx, keys);
      const sums = await readSums(trx, periodsOf(budgets));
      return { position: rows[0]?.position ?? 0, budgets, sums };
    });

const readBudgets = async (trx: Kysely<Database>, keys: readonly BudgetKey[]): Promise<readonly (ProjectedBudget | null)[]> => {
  type Row = { [K in 'definition' | 'controls' | 'terms' | 'created_at' | 'updated_at']: BudgetRow[K] | null };
  const { rows } = await sql<Row>`
    SELECT b.definition, b.controls, b.terms, b.created_at, b.updated_at
    FROM unnest(${column(keys, 'text', ({ tenant }) => tenant)}, ${column(keys, 'text', ({ budgetId }) => budgetId)})
      WITH ORDINALITY AS k (tenant, budget_id, n)
    LEFT JOIN projection.budget b ON b.tenant = k.tenant AND b.budget_id = k.budget_id AND NOT b.deleted
    ORDER BY k.n`.execute(trx);
  return rows.map(({ definition, controls, terms, created_at, updated_at }) => {
    if (definition === null || controls === null || terms === null || created_at === null || updated_at === null) return null;
    return { now: { definition, controls, terms, createdAt: parseInstant(created_at) }, updatedAt: parseInstant(updated_at) };
  });
};

/** Matched by place, not by instant: a column keeps microseconds, a period's start may have nanoseconds. */
const readSums = async (trx: Kysely<Database>, keys: readonly PeriodKey[]): Promise<ReadonlyMap<string, Sums>> => {
  if (keys.length === 0) return new Map();
  type Row = { n: number; spend: string; events: number; failed_spend: string; failed_events: number; reserved: string };
  const { rows } = await sql<Row>`
    SELECT k.n, coalesce(b.spend, 0) AS spend, coalesce(b.events, 0) AS events, coalesce(b.failed_spend, 0) AS failed_spend,
      coalesce(b.failed_events, 0) AS failed_events, coalesce(r.reserved, 0) AS reserved
    FROM unnest(
      ${column(keys, 'text', ({ tenant }) => tenant)},
      ${column(keys, 'text', ({ budgetId }) => budgetId)},
      ${column(keys, 'timestamptz', ({ start }) => formatInstant(start))}) WITH ORDINALITY AS k (tenant, budget_id, period_start, n)
    LEFT JOIN projection.balance b USING (tenant, budget_id, period_start)
    LEFT JOIN projection.reserved r USING (tenant, budget_id, period_start)
    WHERE b.spend IS NOT NULL OR r.reserved IS NOT NULL`.execute(trx);
  const sums = new Map<string, Sums>();
  for (const { n, spend, events, failed_spend, failed_events, reserved } of rows) {
    const key = keys[n - 1];
    if (key === undefined) continue;
    sums.set(periodKey(key), {
      spend: parsePicos(spend),
      events,
      failedSpend: parsePicos(failed_spend),
      failedEvents: failed_events,
      reserved: parsePicos(reserved),
    });
  }
  return sums;
};
