import { type BudgetDefinition, rootScope, type ScopeRef } from '@bursar/contracts';
import { type BudgetControls, readDefinition } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Surroundings } from '../../domain/unreserved-usage.js';
import { BlockingBudgets } from '../../features/ports.js';

/** From the projection's tables, two indexed reads however many scopes and budgets a tenant has: nothing to keep, nothing to grow stale. */
export class SqlBlockingBudgets extends BlockingBudgets {
  constructor(private readonly database: Kysely<Database>) {
    super();
  }

  async around(tenant: string, scopes: readonly ScopeRef[]): Promise<Surroundings> {
    const edges = await sql<{ scope: ScopeRef; parents: ScopeRef[] }>`
      WITH RECURSIVE above(scope) AS (
        SELECT unnest(${scopes}::text[])
        UNION
        SELECT unnest(registered.parents) FROM above
        JOIN projection.scope AS registered ON registered.tenant = ${tenant} AND registered.scope = above.scope
      )
      SELECT registered.scope, registered.parents FROM above
      JOIN projection.scope AS registered ON registered.tenant = ${tenant} AND registered.scope = above.scope`.execute(this.database);
    const parents = new Map(edges.rows.map((row) => [row.scope, row.parents]));
    const all = [...new Set([...scopes, ...[...parents.values()].flat(), rootScope(tenant)])];
    const keys = all.map((scope) => `${tenant}/${scope}`);
    const blocks = sql`definition #>> '{enforcement,mode}' = 'block'`;
    const budgets = await sql<{ definition: BudgetDefinition; controls: BudgetControls }>`
      SELECT definition, controls FROM projection.budget
      WHERE tenant = ${tenant} AND NOT deleted AND scope = ANY (${all}::text[]) AND NOT definition ? 'members' AND ${blocks}
      UNION ALL
      SELECT definition, controls FROM projection.budget
      WHERE NOT deleted AND definition ? 'members' AND projection.member_keys(tenant, definition) && ${keys}::text[] AND ${blocks}`.execute(
      this.database,
    );
    const blockers = budgets.rows.map(({ definition, controls }) => ({ ...readDefinition(definition), controls }));
    return { parents, blockers };
  }
}
