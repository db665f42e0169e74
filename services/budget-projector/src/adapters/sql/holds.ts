import { parseInstant } from '@bursar/contracts';
import { type Database, type GrantTexts, heldInGroups, heldUnder, withGrants } from '@bursar/database';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Hold } from '../../domain/holds/hold.js';
import type { Settlement, SettlementFlag } from '../../domain/holds/settlement-flag.js';
import type { CommitBatch } from '../../features/batches.js';
import type { ChangedGroup, NewGroup } from '../../features/hold-groups.js';
import { type Expiring, type HoldRow, type ReservedRow, readHold } from '../../features/hold-rows.js';
import type { HoldKey } from '../../features/projection-tables.js';
import { column, textArray } from './columns.js';
import { trimZeros } from './read-state.js';

type Session = Kysely<Database>;

/** Seven parameters each, of the 65,535 that a statement may have. */
const GROUPS_PER_INSERT = 500;

type StoredHold = Selectable<Database['projection.hold']> & GrantTexts;

export const readOpenHolds = async (db: Session, tenant: string): Promise<readonly Hold[]> => {
  const { rows } = await sql<StoredHold>`
    SELECT hold.*, terms.value::text AS terms, one.value::text AS reservation FROM ${heldInGroups}
    WHERE held.tenant = ${tenant} AND held.held > 0 AND hold.status = 'held'`.execute(db);
  // One of an event that grants the same id twice.
  return [...new Map(rows.map((row) => [row.reservation_id, toHold(row)])).values()];
};

export const readHolds = async (db: Session, keys: readonly HoldKey[]): Promise<readonly Hold[]> => {
  if (keys.length === 0) return [];
  const named = sql`
    SELECT hold.* FROM unnest(
      ${column(keys, 'text', (key) => key.tenant)}, ${column(keys, 'text', (key) => key.reservationId)}) AS u (tenant, reservation_id)
    JOIN projection.hold ON hold.tenant = u.tenant AND hold.reservation_id = u.reservation_id`;
  const { rows } = await withGrants(named).execute(db);
  return rows.map(toHold);
};

export const readHoldsNamed = async (db: Session, tenant: string, ids: readonly string[]): Promise<readonly Hold[]> => {
  const ended = await readHolds(
    db,
    ids.map((reservationId) => ({ tenant, reservationId })),
  );
  const known = new Set(ended.map(({ id }) => id));
  const others = ids.filter((id) => !known.has(id));
  if (others.length === 0) return ended;
  const { rows } = await heldUnder(tenant, others).execute(db);
  return [...ended, ...rows.map(toHold)];
};

export const readExpiring = async (db: Session, partition: number): Promise<readonly Expiring[]> => {
  const { rows } = await sql<{ tenant: string; reservation_id: string; expires_at: string }>`
    SELECT hold.tenant, hold.reservation_id, terms.value ->> 'expiresAt' AS expires_at FROM ${heldInGroups}
    WHERE held.partition = ${partition} AND held.held > 0 AND hold.status = 'held'`.execute(db);
  return rows.map(({ tenant, reservation_id: reservationId, expires_at }) => ({
    tenant,
    reservationId,
    expiresAt: parseInstant(expires_at),
  }));
};

const toHold = (row: StoredHold): Hold =>
  readHold({
    tenant: row.tenant,
    reservationId: row.reservation_id,
    status: row.status,
    terms: row.terms,
    reservation: row.reservation,
    since: row.since,
    endedAt: row.ended_at,
    endedPosition: row.ended_position,
    settledBy: row.settled_by,
    actual: row.actual === null ? null : trimZeros(row.actual),
    flags: row.flags as SettlementFlag[],
    position: row.position,
  });

/** Groups first, then what became of some. */
export const writeHolds = async (
  db: Session,
  partition: number,
  { holdGroups, changedHoldGroups, holds }: Pick<CommitBatch, 'holdGroups' | 'changedHoldGroups' | 'holds'>,
): Promise<void> => {
  await addGroups(db, partition, holdGroups);
  await writeRows(db, holds);
  await changeGroups(db, changedHoldGroups);
};

const addGroups = async (db: Session, partition: number, groups: readonly NewGroup[]): Promise<void> => {
  for (let from = 0; from < groups.length; from += GROUPS_PER_INSERT) {
    const values = groups.slice(from, from + GROUPS_PER_INSERT).map(({ tenant, since, terms, held, position }) => ({
      tenant,
      since,
      partition,
      granted: `[${[...terms].map(({ granted }) => granted).join(',')}]`,
      budget_ids: [...new Set([...terms].flatMap(({ amounts }) => amounts.map(({ budgetId }) => budgetId)))],
      held,
      position,
    }));
    await db.insertInto('projection.hold_group').values(values).execute();
  }
};

/** As it is now; what it is and since when never changes. */
const writeRows = async (db: Session, rows: readonly HoldRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.hold (tenant, reservation_id, status, since, ended_at, ended_position, settled_by, actual, flags, position)
    SELECT u.tenant, u.reservation_id, u.status, u.since, u.ended_at, u.ended_position, u.settled_by, u.actual, u.flags::text[], u.position
    FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.reservationId)},
      ${column(rows, 'text', (row) => row.status)},
      ${column(rows, 'bigint', (row) => row.since)},
      ${column(rows, 'timestamptz', (row) => row.endedAt)},
      ${column(rows, 'bigint', (row) => row.endedPosition)},
      ${column(rows, 'uuid', (row) => row.settledBy)},
      ${column(rows, 'numeric', (row) => row.actual)},
      ${column(rows, 'text', (row) => textArray(row.flags))},
      ${column(rows, 'bigint', (row) => row.position)})
      AS u (tenant, reservation_id, status, since, ended_at, ended_position, settled_by, actual, flags, position)
    ON CONFLICT (tenant, reservation_id) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
      ended_position = excluded.ended_position, settled_by = excluded.settled_by, actual = excluded.actual, flags = excluded.flags,
      position = excluded.position`.execute(db);
};

const changeGroups = async (db: Session, groups: readonly ChangedGroup[]): Promise<void> => {
  if (groups.length === 0) return;
  await sql`
    UPDATE projection.hold_group AS found SET held = found.held - u.ended, position = greatest(found.position, u.position)
    FROM unnest(
      ${column(groups, 'text', ({ tenant }) => tenant)},
      ${column(groups, 'bigint', ({ since }) => since)},
      ${column(groups, 'int', ({ ended }) => ended)},
      ${column(groups, 'bigint', ({ position }) => position)}) AS u (tenant, since, ended, position)
    WHERE found.tenant = u.tenant AND found.since = u.since`.execute(db);
};

/** Absolute: what nothing is held in any more has no row. */
export const writeReserved = async (db: Session, rows: readonly ReservedRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    WITH now AS (
      SELECT * FROM unnest(
        ${column(rows, 'text', (row) => row.tenant)},
        ${column(rows, 'text', (row) => row.budgetId)},
        ${column(rows, 'timestamptz', (row) => row.periodStart)},
        ${column(rows, 'numeric', (row) => row.reserved)}) AS u (tenant, budget_id, period_start, reserved)
    ), gone AS (
      DELETE FROM projection.reserved USING now
      WHERE now.reserved = 0 AND reserved.tenant = now.tenant AND reserved.budget_id = now.budget_id
        AND reserved.period_start = now.period_start
    )
    INSERT INTO projection.reserved (tenant, budget_id, period_start, reserved)
    SELECT * FROM now WHERE reserved <> 0
    ON CONFLICT (tenant, budget_id, period_start) DO UPDATE SET reserved = excluded.reserved`.execute(db);
};

export const writeSettlements = async (db: Session, rows: readonly Settlement[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.settlement (tenant, position, reservation_id, flags)
    SELECT u.tenant, u.position, u.reservation_id, u.flags::text[] FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'bigint', (row) => row.position)},
      ${column(rows, 'text', (row) => row.reservationId)},
      ${column(rows, 'text', (row) => textArray(row.flags))}) AS u (tenant, position, reservation_id, flags)
    ON CONFLICT (tenant, position) DO UPDATE SET flags = excluded.flags`.execute(db);
};
