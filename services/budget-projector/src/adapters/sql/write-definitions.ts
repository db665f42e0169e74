import { EVENT_DEFINITIONS, formatInstant } from '@bursar/contracts';
import type { DefinitionEvent } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { BudgetChange } from '../../domain/changes.js';
import type { CommitBatch } from '../../features/batches.js';
import { column } from './columns.js';

type Session = Kysely<Database>;

/** The events themselves, at the newest version: what a fold needs to load the tenant. */
export const writeDefinitions = async (db: Session, events: readonly DefinitionEvent[]): Promise<void> => {
  if (events.length === 0) return;
  await sql`
    INSERT INTO projection.definition_event (projection, tenant, position, partition, stream, revision, id, type, version, data, meta, recorded_at)
    SELECT 'budget', u.* FROM unnest(
      ${column(events, 'text', (event) => event.meta.tenant)},
      ${column(events, 'bigint', (event) => event.position)},
      ${column(events, 'int', (event) => event.partition)},
      ${column(events, 'text', (event) => event.stream)},
      ${column(events, 'bigint', (event) => event.revision)},
      ${column(events, 'uuid', (event) => event.id)},
      ${column(events, 'text', (event) => event.type)},
      ${column(events, 'int', (event) => EVENT_DEFINITIONS.get(event.type)?.version ?? 1)},
      ${column(events, 'text', (event) => JSON.stringify(event.data))},
      ${column(events, 'text', (event) => JSON.stringify(event.meta))},
      ${column(events, 'timestamptz', (event) => event.recordedAt)}) AS u`.execute(db);
};

/** Below every revision: what other streams say of a budget leaves its own where it is. */
const NO_REVISION = -1;

export const writeBudgets = async (db: Session, changes: readonly BudgetChange[]): Promise<void> => {
  if (changes.length === 0) return;
  await sql`
    INSERT INTO projection.budget AS budget (tenant, budget_id, scope, name, period_kind, definition, revision, created_position, created_at,
      created_by, updated_at, deleted, controls, terms)
    SELECT u.tenant, u.budget_id, u.scope, u.name, u.period_kind, u.definition::jsonb, u.revision, u.created_position, u.created_at,
      u.created_by, u.updated_at, u.deleted, u.controls::jsonb, u.terms::jsonb FROM unnest(
      ${column(changes, 'text', (row) => row.tenant)},
      ${column(changes, 'text', ({ state }) => state.budgetId)},
      ${column(changes, 'text', ({ state }) => state.definition.scope)},
      ${column(changes, 'text', ({ state }) => state.definition.name)},
      ${column(changes, 'text', ({ state }) => state.definition.period.kind)},
      ${column(changes, 'text', ({ state }) => JSON.stringify(state.definition))},
      ${column(changes, 'bigint', (row) => row.revision ?? NO_REVISION)},
      ${column(changes, 'bigint', ({ state }) => state.createdPosition)},
      ${column(changes, 'timestamptz', ({ state }) => formatInstant(state.createdAt))},
      ${column(changes, 'text', (row) => row.createdBy)},
      ${column(changes, 'timestamptz', (row) => row.updatedAt)},
      ${column(changes, 'boolean', ({ state }) => state.deletedPosition !== null)},
      ${column(changes, 'text', ({ state }) => JSON.stringify(state.controls))},
      ${column(changes, 'text', ({ state }) => JSON.stringify(state.terms))})
      AS u (tenant, budget_id, scope, name, period_kind, definition, revision, created_position, created_at, created_by, updated_at, deleted,
        controls, terms)
    ON CONFLICT (tenant, budget_id) DO UPDATE SET
      scope = excluded.scope, name = excluded.name, period_kind = excluded.period_kind, definition = excluded.definition,
      revision = GREATEST(budget.revision, excluded.revision),
      updated_at = CASE WHEN excluded.revision = ${NO_REVISION}::bigint THEN budget.updated_at ELSE excluded.updated_at END, deleted = excluded.deleted, controls = excluded.controls, terms = excluded.terms`.execute(
    db,
  );
};

/** From which position each budget's thresholds are decided; NULL while it is being counted. After {@link writeBudgets}. */
export const writeCounted = async (db: Session, rows: CommitBatch['counted']): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    UPDATE projection.budget SET counted_position = u.position FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.budgetId)},
      ${column(rows, 'bigint', (row) => row.position)}) AS u (tenant, budget_id, position)
    WHERE budget.tenant = u.tenant AND budget.budget_id = u.budget_id`.execute(db);
};
