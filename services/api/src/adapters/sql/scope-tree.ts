import { rootScope, type ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { findScope, type ScopeRow } from './scopes.js';

/** A tree level by level: registered scopes with their edges, and those that only budgets, spend or edges speak of. */
export type TreeRows = Readonly<{
  registered: readonly ScopeRow[];
  mentioned: readonly ScopeRef[];
  /** Something below these was left out. */
  cut: ReadonlySet<ScopeRef>;
}>;

type Below = ScopeRow & Readonly<{ parent: ScopeRef }>;

/**
 * In a transaction: from `top` down, nearest levels first, and of one level parent by parent, until there are `limit` scopes. What it reads goes by what it
 * shows, not by how many scopes there are.
 */
export const treeBelow = async (db: Kysely<Database>, tenant: string, top: ScopeRef, limit: number): Promise<TreeRows> => {
  const root = rootScope(tenant);
  // How many children a scope has cannot be estimated, and a bitmap reads them all: they are wanted in the order of the index, up to the limit.
  await sql`SET LOCAL enable_bitmapscan = off`.execute(db);
  const own = await findScope(db, tenant, top);
  const registered = new Map(own === undefined ? [] : [[top, own]]);
  const mentioned: ScopeRef[] = [];
  const chosen = new Set([top]);
  const cut = new Set<ScopeRef>();
  for (let level: readonly ScopeRef[] = [top]; level.length > 0; ) {
    const room = limit - chosen.size;
    const known = [...chosen];
    const rows = await childrenOf(db, tenant, level, known, room + 1);
    const strangers = level[0] === root ? await strangersOf(db, tenant, root, room + 1) : [];
    const found = strangers.length === 0 ? rows.map(({ scope }) => scope) : merged(rows, strangers);
    const next = [...new Set(found)].slice(0, room);
    for (const scope of next) chosen.add(scope);
    for (const { parent, ...row } of rows) if (chosen.has(row.scope)) registered.set(row.scope, row);
    mentioned.push(...strangers.filter((scope) => chosen.has(scope)));
    if (found.length > room) for (const scope of await leftOut(db, tenant, level, [...chosen])) cut.add(scope);
    if (strangers.some((scope) => !chosen.has(scope))) cut.add(root);
    level = next;
  }
  await sql`SET LOCAL enable_bitmapscan TO DEFAULT`.execute(db);
  return { registered: [...registered.values()], mentioned, cut };
};

/** Registered scopes directly below each of these in turn, but for the ones that are known: a scope once for each of its parents. */
const childrenOf = async (
  db: Kysely<Database>,
  tenant: string,
  parents: readonly ScopeRef[],
  known: readonly ScopeRef[],
  limit: number,
): Promise<readonly Below[]> => {
  const { rows } = await sql<Below>`
    SELECT scope.*, above.parent FROM unnest(${parents}::text[]) WITH ORDINALITY AS above(parent, n)
    CROSS JOIN LATERAL (
      SELECT edge.scope FROM projection.scope_edge AS edge
      WHERE edge.tenant = ${tenant} AND edge.parent = above.parent AND NOT edge.scope = ANY (${known}::text[])
      ORDER BY edge.scope LIMIT ${limit}
    ) AS below
    CROSS JOIN LATERAL (
      SELECT * FROM projection.scope AS one WHERE one.tenant = ${tenant} AND one.scope COLLATE "C" = below.scope LIMIT 1
    ) AS scope
    ORDER BY above.n LIMIT ${limit}`.execute(db);
  return rows;
};

/** Those with a child that is not among the chosen. */
const leftOut = async (
  db: Kysely<Database>,
  tenant: string,
  parents: readonly ScopeRef[],
  chosen: readonly ScopeRef[],
): Promise<readonly ScopeRef[]> => {
  const { rows } = await sql<{ parent: ScopeRef }>`
    SELECT above.parent FROM unnest(${parents}::text[]) AS above(parent) CROSS JOIN LATERAL (
      SELECT FROM projection.scope_edge AS edge
      WHERE edge.tenant = ${tenant} AND edge.parent = above.parent AND NOT edge.scope = ANY (${chosen}::text[]) LIMIT 1) AS below`.execute(
    db,
  );
  return rows.map(({ parent }) => parent);
};

/** In order of their text: scopes that nobody registered, and that usage, a budget or an edge speaks of still. They stand under the root. */
const strangersOf = async (db: Kysely<Database>, tenant: string, root: ScopeRef, limit: number): Promise<readonly ScopeRef[]> => {
  const { rows } = await sql<{ scope: ScopeRef }>`
    SELECT mention.scope FROM projection.scope_mention AS mention CROSS JOIN LATERAL (
      (SELECT FROM projection.scope_spend AS spend WHERE spend.tenant = ${tenant} AND spend.scope = mention.scope COLLATE "default" LIMIT 1)
      UNION ALL
      (SELECT FROM projection.budget
       WHERE budget.tenant = ${tenant} AND budget.scope = mention.scope COLLATE "default" AND NOT budget.deleted LIMIT 1)
      UNION ALL
      (SELECT FROM projection.scope_edge AS edge WHERE edge.tenant = ${tenant} AND edge.parent = mention.scope COLLATE "default" LIMIT 1)
      LIMIT 1) AS speaks
    WHERE mention.tenant = ${tenant} AND NOT mention.registered AND mention.scope <> ${root}
    ORDER BY mention.scope LIMIT ${limit}`.execute(db);
  return rows.map(({ scope }) => scope);
};

const merged = (rows: readonly Below[], strangers: readonly ScopeRef[]): readonly ScopeRef[] =>
  [...rows.map(({ scope }) => scope), ...strangers].sort(byCodePoint);

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
