import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** Budgets that were ever defined on one of these scopes, or for a member among them, gone ones too. */
export const everDefinedOn = async (db: Kysely<Database>, tenant: string, scopes: readonly string[]): Promise<readonly string[]> => {
  const { rows } = await sql<{ budget_id: string }>`
    SELECT DISTINCT event.data::jsonb ->> 'budgetId' AS budget_id FROM projection.definition_event AS event
    WHERE event.projection = 'budget' AND event.tenant = ${tenant} AND event.type IN ('BudgetCreated', 'BudgetChanged')
      AND (event.data::jsonb #>> '{definition,scope}' = ANY (${scopes}::text[])
        OR event.data::jsonb #> '{definition,members}' ?| ${scopes}::text[])`.execute(db);
  return rows.map(({ budget_id }) => budget_id);
};
