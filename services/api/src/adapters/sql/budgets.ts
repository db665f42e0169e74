import type { ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { likeText } from './like-text.js';
import type { BudgetRow } from './standings.js';

/** `scope`: of the scope itself, or a pool that it is a member of. */
export type BudgetFilter = Readonly<{ scopeType?: string; scopeId?: string; scope?: string; kind?: string; text?: string }>;
/** Newest first: what was created before this. */
export type BudgetPlace = Readonly<{ createdPosition: number; budgetId: string }>;
/** Found rows, and before which budget to go on where there may be more of them than those. */
export type BudgetPage = Readonly<{ rows: readonly BudgetRow[]; searchedTo: BudgetPlace | null }>;

/** Rows that further filters are asked of, for one page: rare words in a large tenant give short pages rather than slow ones. */
const MAX_SEARCHED = 20_000;
const NEWEST_FIRST = sql`ORDER BY budget.created_position DESC, budget.budget_id DESC`;

export const placeOf = (row: BudgetRow): BudgetPlace => ({ createdPosition: row.created_position, budgetId: row.budget_id });

export const findBudget = async (trx: Kysely<Database>, tenant: string, budgetId: string): Promise<BudgetRow | undefined> =>
  trx
    .selectFrom('projection.budget')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('budget_id', '=', budgetId)
    .where('deleted', '=', false)
    .executeTakeFirst();

/**
 * One page, newest first. Filters on what a row says; status is computed, so it is not one of them. One filter is looked up, whatever the
 * number of budgets; the others are asked of so many of what that finds at most.
 */
export const pageOfBudgets = async (
  trx: Kysely<Database>,
  tenant: string,
  filter: BudgetFilter,
  after: BudgetPlace | null,
  limit: number,
): Promise<BudgetPage> => {
  const [leading, ...others] = conditions(filter);
  const beyond = sql`(budget.created_position, budget.budget_id) < (${after?.createdPosition}::bigint, ${after?.budgetId}::text)`;
  const all = [sql`budget.tenant = ${tenant}`, sql`NOT budget.deleted`, ...(after === null ? [] : [beyond])];
  const where = (more: readonly Condition[]) => sql`WHERE ${sql.join([...all, ...more], sql` AND `)}`;
  const newest = (most: number) =>
    filter.scope === undefined
      ? sql`SELECT budget.* FROM projection.budget ${where(leading === null ? [] : [leading])} ${NEWEST_FIRST} LIMIT ${most}`
      : sql`
        (SELECT budget.* FROM projection.budget ${where([sql`budget.scope = ${filter.scope}`])} ${NEWEST_FIRST} LIMIT ${most})
        UNION ALL
        (SELECT budget.* FROM projection.budget ${where([isPoolOf(tenant, filter.scope), sql`budget.scope <> ${filter.scope}`])}
         ${NEWEST_FIRST} LIMIT ${most})`;
  if (filter.scope !== undefined || others.length === 0) {
    const { rows } = await sql<BudgetRow>`SELECT * FROM (${newest(limit)}) AS budget ${NEWEST_FIRST} LIMIT ${limit}`.execute(trx);
    return { rows, searchedTo: null };
  }
  const { rows } = await sql<BudgetRow>`
    SELECT * FROM (${newest(MAX_SEARCHED)}) AS budget WHERE ${sql.join(others, sql` AND `)} ${NEWEST_FIRST} LIMIT ${limit}`.execute(trx);
  if (rows.length === limit) return { rows, searchedTo: null };
  const { rows: last } = await sql<Pick<BudgetRow, 'created_position' | 'budget_id'>>`
    SELECT created_position, budget_id FROM (${newest(MAX_SEARCHED)}) AS budget OFFSET ${MAX_SEARCHED - 1}`.execute(trx);
  const [end] = last;
  return { rows, searchedTo: end === undefined ? null : { createdPosition: end.created_position, budgetId: end.budget_id } };
};

type Condition = RawBuilder<unknown>;
/** First the one that is looked up, by the very expression of its index; null: none is. */
const conditions = ({ scopeType, scopeId, kind, text }: BudgetFilter): readonly [Condition | null, ...Condition[]] => {
  const indexed = [
    ...(scopeType !== undefined && scopeId !== undefined ? [sql`budget.scope = ${`${scopeType}:${scopeId}`}`] : []),
    ...(scopeType === undefined && scopeId !== undefined ? [sql`substr(budget.scope, strpos(budget.scope, ':') + 1) = ${scopeId}`] : []),
    ...(scopeType !== undefined && scopeId === undefined ? [sql`split_part(budget.scope, ':', 1) = ${scopeType}`] : []),
    ...(kind !== undefined ? [sql`budget.period_kind = ${kind}`] : []),
  ];
  const searched = text === undefined ? [] : [sql`budget.name ILIKE ${`%${likeText(text)}%`}`];
  return [indexed[0] ?? null, ...indexed.slice(1), ...searched];
};

const isPoolOf = (tenant: string, scope: ScopeRef) => sql`budget.definition ? 'members'
  AND projection.member_keys(budget.tenant, budget.definition) @> ARRAY[${`${tenant}/${scope}`}]::text[]`;

/** Budgets by the scopes they are on, scope by scope, oldest first on each; `left`: scopes with more of them than that. */
export const budgetsOn = async (
  trx: Kysely<Database>,
  tenant: string,
  scopes: readonly ScopeRef[],
  limit: number,
): Promise<Readonly<{ rows: readonly BudgetRow[]; left: readonly ScopeRef[] }>> => {
  const { rows } = await sql<BudgetRow>`
    SELECT own.* FROM unnest(${scopes}::text[]) WITH ORDINALITY AS asked(scope, n)
    CROSS JOIN LATERAL (
      SELECT * FROM projection.budget WHERE budget.tenant = ${tenant} AND budget.scope = asked.scope AND NOT budget.deleted
      ORDER BY budget.created_position, budget.budget_id LIMIT ${limit + 1}
    ) AS own
    ORDER BY asked.n LIMIT ${limit + 1}`.execute(trx);
  const [over] = rows.slice(limit);
  if (over === undefined) return { rows, left: [] };
  const rest = scopes.slice(scopes.indexOf(over.scope) + 1);
  const { rows: left } = await sql<{ scope: ScopeRef }>`
    SELECT asked.scope FROM unnest(${rest}::text[]) AS asked(scope) CROSS JOIN LATERAL (
      SELECT FROM projection.budget WHERE budget.tenant = ${tenant} AND budget.scope = asked.scope AND NOT budget.deleted LIMIT 1) AS own`.execute(
    trx,
  );
  return { rows: rows.slice(0, limit), left: [over.scope, ...left.map(({ scope }) => scope)] };
};

/** All of a tenant, oldest first. */
export const allBudgets = async (db: Kysely<Database>, tenant: string): Promise<readonly BudgetRow[]> =>
  db
    .selectFrom('projection.budget')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('deleted', '=', false)
    .orderBy('created_position')
    .execute();
