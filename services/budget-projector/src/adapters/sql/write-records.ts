import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Crossing, Quarantined } from '../../domain/changes.js';
import type { Emitted } from '../../domain/emitted.js';
import type { WaitingRow } from '../../features/batches.js';
import type { Projection } from '../../features/projection-tables.js';
import { column, textArray } from './columns.js';

type Session = Kysely<Database>;

/** What happened to thresholds, as said in the ledger. A crossing and its clearing may come in one commit, in this order. */
export const writeCrossings = async (db: Session, crossed: readonly Crossing[], cleared: readonly Crossing[]): Promise<void> => {
  if (crossed.length > 0) {
    await sql`
      INSERT INTO projection.crossing (tenant, alert_id, budget_id, period_start, threshold, episode, data, position, crossed_at)
      SELECT u.tenant, u.alert_id, u.budget_id, u.period_start, u.threshold, u.episode, u.data::jsonb, u.position, u.crossed_at FROM unnest(
        ${column(crossed, 'text', (row) => row.tenant)},
        ${column(crossed, 'uuid', (row) => row.alertId)},
        ${column(crossed, 'text', ({ data }) => data.budgetId)},
        ${column(crossed, 'timestamptz', ({ data }) => data.periodStart)},
        ${column(crossed, 'text', ({ data }) => data.threshold)},
        ${column(crossed, 'int', ({ data }) => data.episode)},
        ${column(crossed, 'text', ({ data }) => JSON.stringify(data))},
        ${column(crossed, 'bigint', (row) => row.position)},
        ${column(crossed, 'timestamptz', (row) => row.at)})
        AS u (tenant, alert_id, budget_id, period_start, threshold, episode, data, position, crossed_at)`.execute(db);
  }
  if (cleared.length === 0) return;
  await sql`
    UPDATE projection.crossing SET cleared_at = u.cleared_at FROM unnest(
      ${column(cleared, 'text', (row) => row.tenant)},
      ${column(cleared, 'text', ({ data }) => data.budgetId)},
      ${column(cleared, 'timestamptz', ({ data }) => data.periodStart)},
      ${column(cleared, 'text', ({ data }) => data.threshold)},
      ${column(cleared, 'int', ({ data }) => data.episode)},
      ${column(cleared, 'timestamptz', (row) => row.at)}) AS u (tenant, budget_id, period_start, threshold, episode, cleared_at)
    WHERE crossing.tenant = u.tenant AND crossing.budget_id = u.budget_id AND crossing.period_start = u.period_start
      AND crossing.threshold = u.threshold AND crossing.episode = u.episode`.execute(db);
};

/** Usage that begins to wait. For a rate, another budget may wait for the same usage already. */
export const addWaiting = async (db: Session, projection: Projection, rows: readonly WaitingRow[]): Promise<void> => {
  // Many budgets counted in one commit may wait for the same usage; an upsert takes a row once.
  for (const batch of distinctBatches(rows)) {
    await sql`
      INSERT INTO projection.waiting AS waiting (projection, tenant, position, reason, budget_ids, event)
      ${waitingRows(projection, batch)}
      ON CONFLICT (projection, tenant, position) DO UPDATE SET budget_ids = waiting.budget_ids || excluded.budget_ids`.execute(db);
  }
};

/** Usage that waits for something else now, or for fewer budgets. */
export const replaceWaiting = async (db: Session, projection: Projection, rows: readonly WaitingRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.waiting (projection, tenant, position, reason, budget_ids, event)
    ${waitingRows(projection, rows)}
    ON CONFLICT (projection, tenant, position) DO UPDATE SET
      reason = excluded.reason, budget_ids = excluded.budget_ids, event = excluded.event`.execute(db);
};

const waitingRows = (projection: Projection, rows: readonly WaitingRow[]) => sql`
  SELECT ${projection}, u.tenant, u.position, u.reason, u.budget_ids::text[], u.event FROM unnest(
    ${column(rows, 'text', (row) => row.tenant)},
    ${column(rows, 'bigint', (row) => row.position)},
    ${column(rows, 'text', (row) => row.reason)},
    ${column(rows, 'text', (row) => textArray(row.budgetIds))},
    ${column(rows, 'text', (row) => row.event)}) AS u (tenant, position, reason, budget_ids, event)`;

const distinctBatches = (rows: readonly WaitingRow[]): readonly (readonly WaitingRow[])[] => {
  const batches: Map<string, WaitingRow>[] = [];
  for (const row of rows) {
    const key = `${row.tenant} ${row.position}`;
    const batch = batches.find((candidate) => !candidate.has(key));
    if (batch === undefined) batches.push(new Map([[key, row]]));
    else batch.set(key, row);
  }
  return batches.map((batch) => [...batch.values()]);
};

export const removeWaiting = async (
  db: Session,
  projection: Projection,
  rows: readonly Readonly<{ tenant: string; position: number }>[],
): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    DELETE FROM projection.waiting USING unnest(
      ${column(rows, 'text', (row) => row.tenant)}, ${column(rows, 'bigint', (row) => row.position)}) AS u (tenant, position)
    WHERE waiting.projection = ${projection} AND waiting.tenant = u.tenant AND waiting.position = u.position`.execute(db);
};

/** In order: the sequence of rows is the order in which they were decided. */
export const writeOutbox = async (db: Session, partition: number, events: readonly Emitted[]): Promise<void> => {
  if (events.length === 0) return;
  await sql`
    INSERT INTO projection.outbox (partition, stream, id, type, version, data, meta)
    SELECT ${partition}, u.stream, u.id, u.type, u.version, u.data, u.meta FROM unnest(
      ${column(events, 'text', (event) => event.stream)},
      ${column(events, 'uuid', (event) => event.id)},
      ${column(events, 'text', (event) => event.type)},
      ${column(events, 'int', (event) => event.version)},
      ${column(events, 'text', (event) => event.data)},
      ${column(events, 'text', (event) => event.meta)}) WITH ORDINALITY AS u (stream, id, type, version, data, meta, n)
    ORDER BY u.n`.execute(db);
};

export const writeQuarantine = async (
  db: Session,
  projection: Projection,
  partition: number,
  rows: readonly Quarantined[],
): Promise<void> => {
  for (const { position, tenant, reason, budgetIds } of rows) {
    await sql`
      INSERT INTO projection.quarantine (projection, partition, position, tenant, reason, budget_ids)
      VALUES (${projection}, ${partition}, ${position}, ${tenant}, ${reason}, ${budgetIds === null ? null : textArray(budgetIds)}::text[])
      ON CONFLICT (projection, partition, position) DO NOTHING`.execute(db);
  }
};
