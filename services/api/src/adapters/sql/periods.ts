import { formatInstant, type Period } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { BalanceRow } from './standings.js';

/** What the ledger says of a period that ended. */
export type EndedRow = Selectable<Database['scheduler.period']>;

/** A period with its balance and what was said of its end; null where there is none. */
export type PeriodFigures = Readonly<{ balance: BalanceRow | null; ended: EndedRow | null }>;

/** In the order of `periods`. */
export const figuresOf = async (
  trx: Kysely<Database>,
  tenant: string,
  budgetId: string,
  periods: readonly Period[],
): Promise<readonly PeriodFigures[]> => {
  const starts = sql`unnest(${periods.map(({ start }) => formatInstant(start))}::timestamptz[]) WITH ORDINALITY AS asked(period_start, n)`;
  const { rows: balances } = await sql<BalanceRow & { n: number }>`
    SELECT balance.*, asked.n FROM ${starts} JOIN projection.balance AS balance USING (period_start)
    WHERE balance.tenant = ${tenant} AND balance.budget_id = ${budgetId}`.execute(trx);
  const { rows: ended } = await sql<EndedRow & { n: number }>`
    SELECT period.*, asked.n FROM ${starts} JOIN scheduler.period AS period USING (period_start)
    WHERE period.tenant = ${tenant} AND period.budget_id = ${budgetId}`.execute(trx);
  const balanceAt = new Map(balances.map((row) => [row.n, row]));
  const endedAt = new Map(ended.map((row) => [row.n, row]));
  return periods.map((_, index) => ({ balance: balanceAt.get(index + 1) ?? null, ended: endedAt.get(index + 1) ?? null }));
};

/** Where the first period with usage starts; null: there was none. */
export const firstUsedPeriod = async (trx: Kysely<Database>, tenant: string, budgetId: string): Promise<string | null> => {
  const row = await trx
    .selectFrom('projection.balance')
    .select('period_start')
    .where('tenant', '=', tenant)
    .where('budget_id', '=', budgetId)
    .orderBy('period_start')
    .limit(1)
    .executeTakeFirst();
  return row?.period_start ?? null;
};

/** Periods that the calendar ended, newest first, that ended before the instant. */
export const endedByCalendar = async (
  trx: Kysely<Database>,
  tenant: string,
  budgetId: string,
  before: string | null,
  limit: number,
): Promise<readonly EndedRow[]> => {
  const { rows } = await sql<EndedRow>`
    SELECT * FROM scheduler.period
    WHERE tenant = ${tenant} AND budget_id = ${budgetId} AND ended ->> 'cause' = 'boundary'
      AND (${before}::timestamptz IS NULL OR (period_start < ${before}::timestamptz AND (ended ->> 'endedAt')::timestamptz < ${before}::timestamptz))
    ORDER BY period_start DESC LIMIT ${limit}`.execute(trx);
  return rows;
};
