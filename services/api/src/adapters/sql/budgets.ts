import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { BudgetRow } from './standings.js';

export type BudgetFilter = Readonly<{ scopeType?: string; scopeId?: string; scope?: string; kind?: string; text?: string }>;
/** Newest first: what was created before this. */
export type BudgetPlace = Readonly<{ createdPosition: number; budgetId: string }>;

export const findBudget = async (trx: Kysely<Database>, tenant: string, budgetId: string): Promise<BudgetRow | undefined> =>
  trx
    .selectFrom('projection.budget')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('budget_id', '=', budgetId)
    .where('deleted', '=', false)
    .executeTakeFirst();

/** One page, newest first. Filters on what a row says; status is computed, so it is not one of them. */
export const pageOfBudgets = async (
  trx: Kysely<Database>,
  tenant: string,
  filter: BudgetFilter,
  after: BudgetPlace | null,
  limit: number,
): Promise<readonly BudgetRow[]> => {
  let query = trx.selectFrom('projection.budget').selectAll().where('tenant', '=', tenant).where('deleted', '=', false);
  if (filter.scope !== undefined) query = query.where(namesScope(filter.scope));
  if (filter.scopeType !== undefined) query = query.where('scope', 'like', `${likeText(filter.scopeType)}:%`);
  if (filter.scopeId !== undefined) query = query.where(sql<boolean>`split_part(scope, ':', 1) || ':' || ${filter.scopeId}::text = scope`);
  if (filter.kind !== undefined) query = query.where('period_kind', '=', filter.kind);
  if (filter.text !== undefined) query = query.where('name', 'ilike', `%${likeText(filter.text)}%`);
  if (after !== null) {
    query = query.where(sql<boolean>`(created_position, budget_id) < (${after.createdPosition}::bigint, ${after.budgetId}::text)`);
  }
  return query.orderBy('created_position', 'desc').orderBy('budget_id', 'desc').limit(limit).execute();
};

/** Budgets by the scopes they are on, oldest first. */
export const budgetsOn = async (
  trx: Kysely<Database>,
  tenant: string,
  scopes: readonly string[] | 'all',
  limit = Number.MAX_SAFE_INTEGER,
): Promise<readonly BudgetRow[]> => {
  let query = trx.selectFrom('projection.budget').selectAll().where('tenant', '=', tenant).where('deleted', '=', false);
  if (scopes !== 'all') query = query.where(sql<boolean>`scope = ANY(${scopes}::text[])`);
  return query.orderBy('created_position').limit(limit).execute();
};

/** The scope itself or one of several members. */
const namesScope = (scope: string) => sql<boolean>`(scope = ${scope} OR definition -> 'members' ? ${scope}::text)`;

/** What a user types is text, not a pattern. */
const likeText = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
