import type { ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

export type ScopeSpend = Readonly<{ scope: ScopeRef; currency: string; spend: string }>;

/** All that scopes ever spent, from the rollups: what was charged to a scope, descendants included, once each. */
export const totalSpend = async (
  db: Kysely<Database>,
  tenant: string,
  scopes: readonly ScopeRef[] | 'all',
): Promise<readonly ScopeSpend[]> => {
  const some = scopes === 'all' ? sql`true` : sql`scope = ANY(${scopes}::text[])`;
  const { rows } = await sql<ScopeSpend>`
    SELECT scope, currency, sum(spend) AS spend FROM projection.rollup
    WHERE tenant = ${tenant} AND ${some} GROUP BY scope, currency ORDER BY scope, currency`.execute(db);
  return rows;
};
