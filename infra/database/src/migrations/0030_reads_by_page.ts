import { type Kysely, sql } from 'kysely';

/**
 * Reads whose cost goes by the page they show, not by how much there is to show: children of a scope in order, scopes that only spend,
 * budgets or edges speak of, and budgets of one scope, type or calendar, newest first.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    -- A registered scope under each of its parents, under the root when it has none. Byte order, whatever the database's collation.
    CREATE TABLE projection.scope_edge (
      tenant text NOT NULL,
      parent text NOT NULL,
      scope text COLLATE "C" NOT NULL,
      PRIMARY KEY (tenant, parent, scope)
    );
    CREATE INDEX ON projection.scope_edge (tenant, scope);
    INSERT INTO projection.scope_edge
      SELECT tenant, unnest(CASE WHEN parents = '{}' THEN ARRAY['tenant:' || tenant] ELSE parents END), scope FROM projection.scope
      ON CONFLICT DO NOTHING;

    -- Every scope that was ever spoken of. A row is never removed: the loops that write it do not wait for one another.
    CREATE TABLE projection.scope_mention (
      tenant text NOT NULL,
      scope text COLLATE "C" NOT NULL,
      registered boolean NOT NULL,
      PRIMARY KEY (tenant, scope)
    );
    CREATE INDEX scope_stranger ON projection.scope_mention (tenant, scope) WHERE NOT registered;
    INSERT INTO projection.scope_mention SELECT tenant, scope, true FROM projection.scope;
    INSERT INTO projection.scope_mention
      SELECT tenant, scope, false FROM projection.scope_spend
      UNION SELECT tenant, scope, false FROM projection.budget
      UNION SELECT tenant, unnest(parents), false FROM projection.scope
      ON CONFLICT DO NOTHING;

    DROP INDEX projection.scope_parent_keys, projection.scope_parentless;
    DROP FUNCTION projection.parent_keys;
    CREATE INDEX scope_in_order ON projection.scope (tenant, scope COLLATE "C");

    DROP INDEX projection.budget_tenant_scope_idx, projection.budget_tenant_created_position_idx;
    CREATE INDEX budget_newest ON projection.budget (tenant, created_position DESC, budget_id DESC) WHERE NOT deleted;
    CREATE INDEX budget_of_scope ON projection.budget (tenant, scope, created_position DESC, budget_id DESC) WHERE NOT deleted;
    CREATE INDEX budget_of_type ON projection.budget (tenant, split_part(scope, ':', 1), created_position DESC, budget_id DESC)
      WHERE NOT deleted;
    CREATE INDEX budget_of_id ON projection.budget (tenant, substr(scope, strpos(scope, ':') + 1), created_position DESC, budget_id DESC)
      WHERE NOT deleted;
    CREATE INDEX budget_of_kind ON projection.budget (tenant, period_kind, created_position DESC, budget_id DESC) WHERE NOT deleted;
    -- Pools by their members. Within the tenant: others may call theirs the same.
    CREATE FUNCTION projection.member_keys(tenant text, definition jsonb) RETURNS text[]
      LANGUAGE sql IMMUTABLE PARALLEL SAFE
      AS 'SELECT coalesce(array_agg(tenant || ''/'' || member), ''{}'') FROM jsonb_array_elements_text(coalesce(definition -> ''members'', ''[]'')) AS member';
    CREATE INDEX budget_of_member ON projection.budget USING gin (projection.member_keys(tenant, definition))
      WHERE NOT deleted AND definition ? 'members';
  `.execute(db);
};
