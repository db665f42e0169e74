import { rootScope, type ScopeRef } from '@bursar/contracts';
import type { DefinitionEvent } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { ScopeChange } from '../../domain/changes.js';
import type { CommitBatch } from '../../features/batches.js';
import { column, textArray } from './columns.js';

type Session = Kysely<Database>;

/** The registry: each scope, and the edges to its parents. */
export const writeScopes = async (db: Session, changes: readonly ScopeChange[]): Promise<void> => {
  if (changes.length === 0) return;
  const changed = sql`unnest(${column(changes, 'text', (row) => row.tenant)}, ${column(changes, 'text', (row) => row.scope)}) AS u (tenant, scope)`;
  const kept = changes.filter(({ state }) => state.registered);
  const gone = changes.filter(({ state }) => !state.registered);
  await sql`
    DELETE FROM projection.scope_edge USING ${changed} WHERE scope_edge.tenant = u.tenant AND scope_edge.scope = u.scope`.execute(db);
  if (gone.length > 0) {
    await sql`
      DELETE FROM projection.scope USING unnest(${column(gone, 'text', (row) => row.tenant)}, ${column(gone, 'text', (row) => row.scope)})
        AS u (tenant, scope)
      WHERE scope.tenant = u.tenant AND scope.scope = u.scope`.execute(db);
  }
  if (kept.length === 0) return;
  await sql`
    INSERT INTO projection.scope (tenant, scope, parents, name, attributes, position)
    SELECT u.tenant, u.scope, u.parents::text[], u.name, u.attributes::jsonb, u.position FROM unnest(
      ${column(kept, 'text', (row) => row.tenant)},
      ${column(kept, 'text', (row) => row.scope)},
      ${column(kept, 'text', (row) => textArray(row.state.parents))},
      ${column(kept, 'text', (row) => row.state.name)},
      ${column(kept, 'text', (row) => JSON.stringify(row.state.attributes))},
      ${column(kept, 'bigint', (row) => row.position)}) AS u (tenant, scope, parents, name, attributes, position)
    ON CONFLICT (tenant, scope) DO UPDATE SET
      parents = excluded.parents, name = excluded.name, attributes = excluded.attributes, position = excluded.position`.execute(db);
  const edges = kept.flatMap(({ tenant, scope, state: { parents } }) =>
    (parents.length === 0 ? [rootScope(tenant)] : parents).map((parent) => ({ tenant, scope, parent })),
  );
  await sql`
    INSERT INTO projection.scope_edge (tenant, parent, scope)
    SELECT * FROM unnest(
      ${column(edges, 'text', (edge) => edge.tenant)},
      ${column(edges, 'text', (edge) => edge.parent)},
      ${column(edges, 'text', (edge) => edge.scope)})
    ON CONFLICT DO NOTHING`.execute(db);
};

/**
 * Which scopes are spoken of, by the registry, its edges and budgets, and which of them are registered. By every event, not by what the
 * batch leaves: a rebuild has other batches, and the same rows. The breakdown's loop writes those that usage names to the same table:
 * both insert in one order, so that neither waits for the other in a circle.
 */
export const writeMentions = async (db: Session, { scopes, definitions }: Pick<CommitBatch, 'scopes' | 'definitions'>): Promise<void> => {
  const spoken = definitions.flatMap((event) => spokenOf(event).map((scope) => ({ tenant: event.meta.tenant, scope })));
  if (spoken.length > 0) {
    await sql`
      INSERT INTO projection.scope_mention (tenant, scope, registered)
      SELECT DISTINCT u.tenant, u.scope COLLATE "C", false FROM unnest(
        ${column(spoken, 'text', (row) => row.tenant)},
        ${column(spoken, 'text', (row) => row.scope)}) AS u (tenant, scope)
      ORDER BY 1, 2
      ON CONFLICT DO NOTHING`.execute(db);
  }
  if (scopes.length === 0) return;
  await sql`
    UPDATE projection.scope_mention SET registered = u.registered FROM unnest(
      ${column(scopes, 'text', (row) => row.tenant)},
      ${column(scopes, 'text', (row) => row.scope)},
      ${column(scopes, 'boolean', (row) => row.state.registered)}) AS u (tenant, scope, registered)
    WHERE scope_mention.tenant = u.tenant AND scope_mention.scope = u.scope`.execute(db);
};

const spokenOf = (event: DefinitionEvent): readonly ScopeRef[] => {
  if (event.type === 'ScopeRegistered' || event.type === 'ScopeMoved') return [event.data.scope, ...event.data.parents];
  if (event.type === 'BudgetCreated' || event.type === 'BudgetChanged') return [event.data.definition.scope];
  return [];
};
