import { formatInstant, type Period, parseInstant, parsePicos } from '@bursar/contracts';
import { currentPeriod, rolledOver, rolloverChain } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Moment } from './snapshot.js';

export type BudgetRow = Selectable<Database['projection.budget']>;
export type BalanceRow = Selectable<Database['projection.balance']>;
/** `acknowledged`: somebody has seen it. */
type CrossingRow = Selectable<Database['projection.crossing']> & Readonly<{ acknowledged: boolean }>;

/** A budget in its current period by the database's clock: everything its status is computed from. */
export type Standing = Readonly<{
  budget: BudgetRow;
  /** null: no period holds this moment. */
  period: Period | null;
  /** null: nothing was spent in it yet. */
  balance: BalanceRow | null;
  /** What is held in it, in picos. */
  reserved: bigint;
  /** What the periods before left for this one, in picos of the budget's currency. */
  carried: bigint;
  /** It lacks an event that was set aside. */
  incomplete: boolean;
  /** Crossings of this period that stand. */
  active: readonly CrossingRow[];
}>;

/** Thresholds of a budget, at most; each is crossed once at a time. */
const MOST_THRESHOLDS = 1_000;

/** Four reads, five where something may be rolled over, however many budgets. In the order of `budgets`. */
export const loadStandings = async (
  trx: Kysely<Database>,
  tenant: string,
  budgets: readonly BudgetRow[],
  moment: Moment,
): Promise<readonly Standing[]> => {
  const periods = currentPeriods(budgets, moment);
  const ids = budgets.map((budget) => budget.budget_id);
  // PostgreSQL keeps microseconds: a finer boundary is rounded on the way in, here and where the projector stored it, alike.
  const starts = periods.map((period) => (period === null ? null : formatInstant(period.start)));
  const current = sql`unnest(${ids}::text[], ${starts}::timestamptz[]) AS current(budget_id, period_start)`;
  const isCurrent = (table: string) =>
    sql`WHERE ${sql.id(table)}.tenant = ${tenant} AND ${sql.id(table)}.budget_id = current.budget_id
      AND ${sql.id(table)}.period_start = current.period_start`;
  // Looked up one by one: a hash join of a few hundred would read the balances of the whole tenant.
  const { rows: balances } = await sql<BalanceRow>`
    SELECT own.* FROM ${current} CROSS JOIN LATERAL (
      SELECT * FROM projection.balance ${isCurrent('balance')} LIMIT 1) AS own`.execute(trx);
  const { rows: crossings } = await sql<CrossingRow>`
    SELECT own.*, acknowledgement.at IS NOT NULL AS acknowledged
    FROM ${current} CROSS JOIN LATERAL (
      SELECT * FROM projection.crossing ${isCurrent('crossing')} AND crossing.cleared_at IS NULL LIMIT ${MOST_THRESHOLDS}) AS own
    LEFT JOIN alerting.acknowledgement AS acknowledgement
      ON acknowledgement.tenant = own.tenant AND acknowledgement.alert_id = own.alert_id
    ORDER BY own.cause_position DESC, own.cause_index DESC`.execute(trx);
  const { rows: reserved } = await sql<Selectable<Database['projection.reserved']>>`
    SELECT own.* FROM ${current} CROSS JOIN LATERAL (
      SELECT * FROM projection.reserved ${isCurrent('reserved')} LIMIT 1) AS own`.execute(trx);
  const reservedOf = new Map(reserved.map((row) => [row.budget_id, parsePicos(row.reserved)]));
  const balanceOf = new Map(balances.map((row) => [row.budget_id, row]));
  const activeOf = Map.groupBy(crossings, (row) => row.budget_id);
  const carried = await loadCarried(trx, tenant, budgets, periods, true);
  const isIncomplete = await loadIncomplete(trx, tenant, moment.position);
  return budgets.map((budget, index) => ({
    budget,
    period: periods[index] ?? null,
    balance: balanceOf.get(budget.budget_id) ?? null,
    reserved: reservedOf.get(budget.budget_id) ?? 0n,
    carried: carried[index] ?? 0n,
    incomplete: isIncomplete(budget.budget_id),
    active: activeOf.get(budget.budget_id) ?? [],
  }));
};

/** Most budgets of a tenant have one of a few calendars, whose period is found once. */
const currentPeriods = (budgets: readonly BudgetRow[], { now }: Moment): readonly (Period | null)[] => {
  const known = new Map<string, Period | null>();
  return budgets.map(({ definition }) => {
    const key = JSON.stringify(definition.period);
    const found = known.get(key);
    if (found !== undefined) return found;
    const period = currentPeriod(definition, now);
    known.set(key, period);
    return period;
  });
};

/** Does a budget lack an event up to the position, because it was set aside? */
export const loadIncomplete = async (trx: Kysely<Database>, tenant: string, through: number): Promise<(budgetId: string) => boolean> => {
  const rows = await trx
    .selectFrom('projection.quarantine')
    .select('budget_ids')
    .where('projection', '=', 'budget')
    .where('tenant', '=', tenant)
    .where('position', '<=', through)
    .execute();
  const lacking = new Set(rows.flatMap(({ budget_ids }): readonly (string | null)[] => budget_ids ?? [null]));
  return (budgetId) => lacking.size > 0 && (lacking.has(null) || lacking.has(budgetId));
};

/**
 * What is carried into each budget's period, by what those before it have spent; `withHeld`: or hold still, as the owner reckons when it lets something pass
 * (ADR 0013).
 */
export const loadCarried = async (
  trx: Kysely<Database>,
  tenant: string,
  budgets: readonly BudgetRow[],
  periods: readonly (Period | null)[],
  withHeld: boolean,
): Promise<readonly bigint[]> => {
  const chains = budgets.map(({ definition, terms, created_at }, index) => {
    const period = periods[index] ?? null;
    return period === null ? [] : rolloverChain({ definition, terms, createdAt: parseInstant(created_at) }, period);
  });
  const asked = chains.flatMap((chain, index) =>
    chain.map(({ start }) => ({ id: budgets[index]?.budget_id, start: formatInstant(start) })),
  );
  if (asked.length === 0) return budgets.map(() => 0n);
  const { rows } = await sql<{ spend: string | null; reserved: string | null }>`
    SELECT balance.spend, reserved.reserved FROM unnest(${asked.map(({ id }) => id)}::text[], ${asked.map(({ start }) => start)}::timestamptz[])
      WITH ORDINALITY AS asked(budget_id, period_start, n)
    LEFT JOIN projection.balance AS balance
      ON balance.tenant = ${tenant} AND balance.budget_id = asked.budget_id AND balance.period_start = asked.period_start
    LEFT JOIN projection.reserved AS reserved
      ON reserved.tenant = ${tenant} AND reserved.budget_id = asked.budget_id AND reserved.period_start = asked.period_start
    ORDER BY asked.n`.execute(trx);
  let next = 0;
  return budgets.map(({ terms, definition }, index) => {
    const chain = chains[index] ?? [];
    const used = new Map(chain.map((period, place) => [period, usedIn(rows[next + place], withHeld)]));
    next += chain.length;
    return rolledOver(terms, definition.limit.currency, chain, (period) => used.get(period) ?? 0n);
  });
};

type Used = Readonly<{ spend: string | null; reserved: string | null }>;

const usedIn = (row: Used | undefined, withHeld: boolean): bigint =>
  parsePicos(row?.spend ?? '0') + (withHeld ? parsePicos(row?.reserved ?? '0') : 0n);
