import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Crossing, Quarantined } from '../../domain/changes.js';
import type { Emitted } from '../../domain/emitted.js';
import type { CommitBatch, WaitingRow } from '../../features/batches.js';
import type { Projection } from '../../features/projection-tables.js';
import { column, textArray } from './columns.js';

type Session = Kysely<Database>;

type CrossingRows = Pick<CommitBatch, 'crossed' | 'told' | 'cleared'>;

/** What happened to thresholds. A crossing, its place in the ledger and its end may come in one commit, in this order. */
export const writeCrossings = async (db: Session, { crossed, told, cleared }: CrossingRows): Promise<void> => {
  await insertCrossings(
    db,
    crossed.map((row) => ({ ...row, position: null })),
  );
  await insertCrossings(
    db,
    told.map((row) => ({ ...row, index: 0 })),
  );
  if (cleared.length === 0) return;
  await sql`
    UPDATE projection.crossing SET cleared_at = u.cleared_at FROM unnest(
      ${column(cleared, 'text', (row) => row.tenant)},
      ${column(cleared, 'text', (row) => row.budgetId)},
      ${column(cleared, 'timestamptz', (row) => row.periodStart)},
      ${column(cleared, 'text', (row) => row.threshold)},
      ${column(cleared, 'int', (row) => row.episode)},
      ${column(cleared, 'timestamptz', (row) => row.at)}) AS u (tenant, budget_id, period_start, threshold, episode, cleared_at)
    WHERE crossing.tenant = u.tenant AND crossing.budget_id = u.budget_id AND crossing.period_start = u.period_start
      AND crossing.threshold = u.threshold AND crossing.episode = u.episode AND crossing.cleared_at IS NULL`.execute(db);
};

/** One that is known already only gets its position: when it was crossed is when its cause was recorded. */
const insertCrossings = async (db: Session, rows: readonly (Crossing & Readonly<{ position: number | null }>)[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.crossing (tenant, alert_id, budget_id, period_start, threshold, episode, data, position, cause_position,
      cause_index, crossed_at)
    SELECT u.tenant, u.alert_id, u.budget_id, u.period_start, u.threshold, u.episode, u.data::jsonb, u.position, u.cause_position,
      u.cause_index, u.crossed_at
    FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'uuid', (row) => row.alertId)},
      ${column(rows, 'text', ({ data }) => data.budgetId)},
      ${column(rows, 'timestamptz', ({ data }) => data.periodStart)},
      ${column(rows, 'text', ({ data }) => data.threshold)},
      ${column(rows, 'int', ({ data }) => data.episode)},
      ${column(rows, 'text', ({ data }) => JSON.stringify(data))},
      ${column(rows, 'bigint', (row) => row.position)},
      ${column(rows, 'bigint', ({ data }) => data.causePosition)},
      ${column(rows, 'int', (row) => row.index)},
      ${column(rows, 'timestamptz', (row) => row.at)})
      AS u (tenant, alert_id, budget_id, period_start, threshold, episode, data, position, cause_position, cause_index, crossed_at)
    ON CONFLICT (tenant, alert_id) DO UPDATE SET data = excluded.data, position = excluded.position`.execute(db);
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
