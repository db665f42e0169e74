import { type Kysely, sql } from 'kysely';

/**
 * Reads of the tree whose cost goes by what they show: children of a scope are found within their tenant, whatever other tenants call
 * theirs, and what a scope ever spent is one row per currency instead of a sum over its history.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE FUNCTION projection.parent_keys(tenant text, parents text[]) RETURNS text[]
      LANGUAGE sql IMMUTABLE PARALLEL SAFE
      AS 'SELECT coalesce(array_agg(tenant || ''/'' || parent), ''{}'') FROM unnest(parents) AS parent';
    DROP INDEX projection.scope_parents_idx;
    CREATE INDEX scope_parent_keys ON projection.scope USING gin (projection.parent_keys(tenant, parents));
    CREATE INDEX scope_parentless ON projection.scope (tenant, scope COLLATE "C") WHERE parents = '{}';

    CREATE TABLE projection.scope_spend (
      tenant text NOT NULL,
      scope text NOT NULL,
      -- empty while the usage has no price
      currency text NOT NULL,
      spend numeric(38,12) NOT NULL,
      events bigint NOT NULL,
      unpriced bigint NOT NULL,
      PRIMARY KEY (tenant, scope, currency)
    ) WITH (fillfactor = 80);
    INSERT INTO projection.scope_spend
      SELECT tenant, scope, currency, sum(spend), sum(events), sum(unpriced) FROM projection.rollup GROUP BY tenant, scope, currency;
  `.execute(db);
};
