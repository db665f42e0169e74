import type { ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import { likeText } from './like-text.js';

export type ScopeRow = Selectable<Database['projection.scope']>;
export type ScopeFilter = Readonly<{ type?: string; parent?: ScopeRef; text?: string }>;

/** Rows a text is looked for in, for one page: rare words in a large registry give short pages rather than slow ones. */
const MAX_SEARCHED = 20_000;

export const findScope = async (db: Kysely<Database>, tenant: string, scope: ScopeRef): Promise<ScopeRow | undefined> =>
  db.selectFrom('projection.scope').selectAll().where('tenant', '=', tenant).where('scope', '=', scope).executeTakeFirst();

/** Found rows, and after which scope to go on where there may be more of them than those. */
export type ScopePage = Readonly<{ rows: readonly ScopeRow[]; searchedTo: ScopeRef | null }>;

/**
 * Registered scopes in byte order, whatever the database's collation: a cursor's place has to mean the same in every query. Type and parent
 * are looked up; a text is looked for in so many of them at most.
 */
export const pageOfScopes = async (
  db: Kysely<Database>,
  tenant: string,
  { type, parent, text }: ScopeFilter,
  after: ScopeRef | null,
  limit: number,
): Promise<ScopePage> => {
  const from =
    parent === undefined
      ? sql`projection.scope AS scope WHERE scope.tenant = ${tenant}`
      : sql`projection.scope_edge AS edge JOIN projection.scope AS scope ON scope.tenant = edge.tenant AND scope.scope COLLATE "C" = edge.scope
          WHERE edge.tenant = ${tenant} AND edge.parent = ${parent}`;
  const place = parent === undefined ? sql`scope.scope COLLATE "C"` : sql`edge.scope`;
  // `:` ends a type, and `;` is the next byte.
  const ofType = type === undefined ? sql`` : sql`AND ${place} >= ${`${type}:`} AND ${place} < ${`${type};`}`;
  const beyond = after === null ? sql`` : sql`AND ${place} > ${after}`;
  const inOrder = (most: number) => sql`SELECT scope.* FROM ${from} ${ofType} ${beyond} ORDER BY ${place} LIMIT ${most}`;
  if (text === undefined) return { rows: (await sql<ScopeRow>`${inOrder(limit)}`.execute(db)).rows, searchedTo: null };
  const pattern = `%${likeText(text)}%`;
  const { rows } = await sql<ScopeRow>`
    SELECT * FROM (${inOrder(MAX_SEARCHED)}) AS scope WHERE scope ILIKE ${pattern} OR name ILIKE ${pattern}
    ORDER BY scope COLLATE "C" LIMIT ${limit}`.execute(db);
  if (rows.length === limit) return { rows, searchedTo: null };
  const { rows: last } = await sql<{ scope: ScopeRef }>`
    SELECT scope FROM (${inOrder(MAX_SEARCHED)}) AS scope OFFSET ${MAX_SEARCHED - 1}`.execute(db);
  return { rows, searchedTo: last[0]?.scope ?? null };
};
