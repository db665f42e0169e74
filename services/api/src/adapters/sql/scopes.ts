import type { ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';

export type ScopeRow = Selectable<Database['projection.scope']>;

export const findScope = async (db: Kysely<Database>, tenant: string, scope: ScopeRef): Promise<ScopeRow | undefined> =>
  db.selectFrom('projection.scope').selectAll().where('tenant', '=', tenant).where('scope', '=', scope).executeTakeFirst();

/** Registered scopes in the order of their text. */
export const pageOfScopes = async (
  db: Kysely<Database>,
  tenant: string,
  filter: Readonly<{ type?: string; parent?: ScopeRef; text?: string }>,
  after: ScopeRef | null,
  limit: number,
): Promise<readonly ScopeRow[]> => {
  let query = db.selectFrom('projection.scope').selectAll().where('tenant', '=', tenant);
  if (filter.type !== undefined) query = query.where(sql<boolean>`split_part(scope, ':', 1) = ${filter.type}`);
  if (filter.parent !== undefined) query = query.where(sql<boolean>`parents @> ARRAY[${filter.parent}]::text[]`);
  if (filter.text !== undefined) {
    const pattern = `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`(scope ILIKE ${pattern} OR name ILIKE ${pattern})`);
  }
  // Byte order, whatever the database's collation: a cursor's place has to mean the same in every query.
  if (after !== null) query = query.where(sql<boolean>`scope COLLATE "C" > ${after}`);
  return query.orderBy(sql`scope COLLATE "C"`).limit(limit).execute();
};

/** Everything below a scope with its edges, itself first when it is registered; the whole registry for null. */
export const subtree = async (db: Kysely<Database>, tenant: string, top: ScopeRef | null): Promise<readonly ScopeRow[]> => {
  if (top === null) return db.selectFrom('projection.scope').selectAll().where('tenant', '=', tenant).execute();
  const { rows } = await sql<ScopeRow>`
    WITH RECURSIVE below(scope) AS (
      SELECT ${top}::text
      UNION
      SELECT child.scope FROM below JOIN projection.scope AS child ON child.tenant = ${tenant} AND child.parents @> ARRAY[below.scope]
    )
    SELECT scope.* FROM projection.scope AS scope JOIN below USING (scope) WHERE scope.tenant = ${tenant}`.execute(db);
  return rows;
};
