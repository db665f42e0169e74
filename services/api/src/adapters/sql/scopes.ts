import { rootScope, type ScopeRef } from '@bursar/contracts';
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
  if (filter.parent !== undefined)
    query = query.where(sql<boolean>`projection.parent_keys(tenant, parents) @> ARRAY[${`${tenant}/${filter.parent}`}]::text[]`);
  if (filter.text !== undefined) {
    const pattern = `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`(scope ILIKE ${pattern} OR name ILIKE ${pattern})`);
  }
  // Byte order, whatever the database's collation: a cursor's place has to mean the same in every query.
  if (after !== null) query = query.where(sql<boolean>`scope COLLATE "C" > ${after}`);
  return query.orderBy(sql`scope COLLATE "C"`).limit(limit).execute();
};

/** A tree level by level: registered scopes with their edges, and those that only budgets, spend or edges speak of. */
export type TreeRows = Readonly<{
  registered: readonly ScopeRow[];
  mentioned: readonly ScopeRef[];
  /** Something below these was left out. */
  cut: ReadonlySet<ScopeRef>;
}>;

/**
 * From `top` down, nearest levels first, until there are `limit` scopes. What it reads goes by what it finds, not by how many scopes there
 * are; from the root, whom nobody registered is looked for among all that is spoken of.
 */
export const treeBelow = async (db: Kysely<Database>, tenant: string, top: ScopeRef, limit: number): Promise<TreeRows> => {
  const root = rootScope(tenant);
  const own = await findScope(db, tenant, top);
  const registered = own === undefined ? [] : [own];
  const mentioned: ScopeRef[] = [];
  const chosen = new Set([top]);
  const cut = new Set<ScopeRef>();
  for (let level: readonly ScopeRef[] = [top]; level.length > 0; ) {
    const rows = await childrenOf(db, tenant, level, root, [...chosen], limit - chosen.size + 1);
    const strangers = level[0] === root ? await unregistered(db, tenant, root, limit - chosen.size + 1) : [];
    const found = [...rows.map((row) => row.scope), ...strangers].sort(byCodePoint);
    const next = found.slice(0, limit - chosen.size);
    if (next.length < found.length) for (const scope of level) cut.add(scope);
    for (const scope of next) chosen.add(scope);
    registered.push(...rows.filter((row) => chosen.has(row.scope)));
    mentioned.push(...strangers.filter((scope) => chosen.has(scope)));
    level = next;
  }
  return { registered, mentioned, cut };
};

/** Registered scopes directly below any of these, but for the ones that are known, in the order of their text. */
const childrenOf = async (
  db: Kysely<Database>,
  tenant: string,
  parents: readonly ScopeRef[],
  root: ScopeRef,
  known: readonly ScopeRef[],
  limit: number,
): Promise<readonly ScopeRow[]> => {
  const keys = parents.map((parent) => `${tenant}/${parent}`);
  const below = sql`projection.parent_keys(tenant, parents) && ${keys}::text[]`;
  const { rows } = await sql<ScopeRow>`
    SELECT * FROM projection.scope
    WHERE tenant = ${tenant} AND ${parents[0] === root ? sql`parents = '{}'` : below} AND NOT scope = ANY (${known}::text[])
    ORDER BY scope COLLATE "C" LIMIT ${limit}`.execute(db);
  return rows;
};

const unregistered = async (db: Kysely<Database>, tenant: string, root: ScopeRef, limit: number): Promise<readonly ScopeRef[]> => {
  const { rows } = await sql<{ scope: ScopeRef }>`
    SELECT scope FROM (
      SELECT scope FROM projection.scope_spend WHERE tenant = ${tenant}
      UNION SELECT scope FROM projection.budget WHERE tenant = ${tenant} AND NOT deleted
      UNION SELECT unnest(parents) FROM projection.scope WHERE tenant = ${tenant}
    ) AS spoken
    WHERE scope <> ${root}
      AND NOT EXISTS (SELECT 1 FROM projection.scope AS known WHERE known.tenant = ${tenant} AND known.scope = spoken.scope)
    ORDER BY scope COLLATE "C" LIMIT ${limit}`.execute(db);
  return rows.map(({ scope }) => scope);
};

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
