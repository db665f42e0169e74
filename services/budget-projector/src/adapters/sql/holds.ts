import { parseInstant } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { HoldGroup, Reservations, StoredReservation } from '@bursar/reservations';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Hold } from '../../domain/holds/hold.js';
import type { Settlement, SettlementFlag } from '../../domain/holds/settlement-flag.js';
import type { ChangedGroup, NewGroup } from '../../features/hold-groups.js';
import { type Expiring, type HoldRow, type ReservedRow, readHold } from '../../features/hold-rows.js';
import type { HoldKey } from '../../features/projection-tables.js';
import { column, textArray } from './columns.js';
import { trimZeros } from './read-state.js';

type Session = Kysely<Database>;

/** Groups in the memory of this process at once. */
const GROUPS_AT_ONCE = 1_000;

/** What the tables and the ledger have of reservations. */
export class StoredHolds {
  constructor(
    private readonly db: Session,
    private readonly reservations: Reservations,
  ) {}

  async open(tenant: string): Promise<readonly Hold[]> {
    const open: Hold[] = [];
    for await (const one of this.#held(sql`tenant = ${tenant}`)) open.push(toHold(one));
    return open;
  }

  async under(keys: readonly HoldKey[]): Promise<readonly Hold[]> {
    return (await this.reservations.under(this.db, keys)).map(toHold);
  }

  async named(tenant: string, ids: readonly string[]): Promise<readonly Hold[]> {
    return (await this.reservations.named(this.db, tenant, ids)).map(toHold);
  }

  async expiring(partition: number): Promise<readonly Expiring[]> {
    const all: Expiring[] = [];
    for await (const { tenant, reservation_id: reservationId, granted } of this.#held(sql`partition = ${partition}`)) {
      if (granted !== null) all.push({ tenant, reservationId, expiresAt: parseInstant(granted.terms.expiresAt) });
    }
    return all;
  }

  /** By position of the usage; what came a second time, or named what was never granted, settled nothing. */
  async settled(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const settledNothing = ['SettledTwice', 'UnknownReservation'] satisfies readonly SettlementFlag[];
    const rows = await this.db
      .selectFrom('projection.settlement')
      .select(['position', 'reservation_id'])
      .where('tenant', '=', tenant)
      .where('position', 'in', positions)
      .where(sql<boolean>`NOT flags && ${settledNothing}::text[]`)
      .execute();
    return new Map(rows.map(({ position, reservation_id }) => [position, reservation_id]));
  }

  async *#held(where: RawBuilder<unknown>): AsyncIterable<StoredReservation> {
    for (let [since, tenant] = [-1, '']; ; ) {
      const { rows } = await sql<HoldGroup>`
        SELECT tenant, since FROM projection.hold_group
        WHERE ${where} AND held > 0 AND (since, tenant) > (${since}::bigint, ${tenant}::text)
        ORDER BY since, tenant LIMIT ${GROUPS_AT_ONCE}`.execute(this.db);
      for await (const some of this.reservations.inGroups(this.db, rows)) yield* some.filter(({ status }) => status === 'held');
      const last = rows.at(-1);
      if (last === undefined || rows.length < GROUPS_AT_ONCE) return;
      ({ since, tenant } = last);
    }
  }
}

const toHold = (row: StoredReservation): Hold =>
  readHold({
    tenant: row.tenant,
    reservationId: row.reservation_id,
    status: row.status,
    granted: row.granted,
    since: row.since,
    endedAt: row.ended_at,
    endedPosition: row.ended_position,
    settledBy: row.settled_by,
    actual: row.actual === null ? null : trimZeros(row.actual),
    flags: row.flags as SettlementFlag[],
    position: row.position,
  });

/** A part of `advance`: groups are there before what becomes of what is in them. */
export const insertGroups = (groups: readonly NewGroup[]): RawBuilder<unknown> => sql`
  groups AS (
    INSERT INTO projection.hold_group (tenant, since, partition, budget_ids, held, position)
    SELECT u.tenant, u.since, fence.partition, u.budget_ids::text[], u.held, u.position FROM fence, unnest(
      ${column(groups, 'text', ({ tenant }) => tenant)},
      ${column(groups, 'bigint', ({ since }) => since)},
      ${column(groups, 'text', (group) => textArray(budgetIdsOf(group)))},
      ${column(groups, 'int', ({ held }) => held)},
      ${column(groups, 'bigint', ({ position }) => position)}) AS u (tenant, since, budget_ids, held, position)
  )`;

/** Of which something is held. */
const budgetIdsOf = ({ terms }: NewGroup): readonly string[] => [
  ...new Set([...terms].flatMap(({ amounts }) => amounts.map(({ budgetId }) => budgetId))),
];

/** As it is now; what it is and since when never changes. */
export const writeHolds = async (db: Session, rows: readonly HoldRow[]): Promise<void> => {
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

/** So much of what is in them has ended. */
export const changeGroups = async (db: Session, groups: readonly ChangedGroup[]): Promise<void> => {
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

/** A part of `advance`. Absolute: what nothing is held in any more has no row. */
export const upsertReserved = (rows: readonly ReservedRow[]): RawBuilder<unknown> => sql`
  now AS (
    SELECT u.* FROM fence, unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'text', (row) => row.budgetId)},
      ${column(rows, 'timestamptz', (row) => row.periodStart)},
      ${column(rows, 'numeric', (row) => row.reserved)}) AS u (tenant, budget_id, period_start, reserved)
  ), gone AS (
    DELETE FROM projection.reserved USING now
    WHERE now.reserved = 0 AND reserved.tenant = now.tenant AND reserved.budget_id = now.budget_id
      AND reserved.period_start = now.period_start
  ), reserved AS (
    INSERT INTO projection.reserved (tenant, budget_id, period_start, reserved)
    SELECT * FROM now WHERE reserved <> 0
    ON CONFLICT (tenant, budget_id, period_start) DO UPDATE SET reserved = excluded.reserved
  )`;

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
