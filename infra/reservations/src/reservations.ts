import { partitionOf } from '@bursar/contracts';
import { column, type Database } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Granted, type Grants, grantedIn } from './granted-in.js';

type Db = Kysely<Database>;
type Row = Selectable<Database['projection.hold']>;

/** A reservation as the tables have it, with what the ledger says was granted; null: usage named its id, and nothing was granted. */
export type StoredReservation = Row & Readonly<{ granted: Granted | null }>;

/** What one event granted to a tenant: `since` is its position (`projection.hold_group`). */
export type HoldGroup = Readonly<{ tenant: string; since: number }>;

export type ReservationKey = Readonly<{ tenant: string; reservationId: string }>;

/** Events of the ledger read at once: most have some kilobytes, and none more than 200. */
const EVENTS = 200;

/**
 * Reservations as the budget projector keeps them: its tables say what became of them, the ledger what was granted (ADR 0042). Every read takes the
 * connection it is to use, so that it can be part of a snapshot: what the ledger says never changes.
 */
export class Reservations {
  constructor(private readonly store: Pick<EventStore, 'readAt' | 'partitions'>) {}

  /** Of these, those that have a row: something became of them. */
  async under(db: Db, keys: readonly ReservationKey[]): Promise<readonly StoredReservation[]> {
    const rows = await rowsOf(db, keys);
    const ofGroup = Map.groupBy(rows, keyOf);
    const found = new Map<Row, Granted>();
    for await (const { group, granted } of this.#granted(rows)) {
      for (const row of ofGroup.get(keyOf(group)) ?? []) {
        const one = granted.get(row.reservation_id);
        if (one !== undefined) found.set(row, one);
      }
    }
    return rows.map((row) => ({ ...row, granted: found.get(row) ?? null }));
  }

  /** Of the tenant's, by id: most have a row by which they are found, and for the others all that is held is looked through. */
  async named(db: Db, tenant: string, ids: readonly string[]): Promise<readonly StoredReservation[]> {
    const ended = await this.under(db, keysOf(tenant, ids));
    const others = without(ids, ended);
    if (others.length === 0) return ended;
    const held = await this.#heldUnder(db, tenant, others);
    const gone = without(others, held);
    // What ended between the two reads has a row by now.
    return [...ended, ...held, ...(await this.under(db, keysOf(tenant, gone)))];
  }

  /** Every reservation of these groups as it is now, some groups at a time, in their order within a partition. */
  async *inGroups(db: Db, groups: readonly HoldGroup[]): AsyncIterable<readonly StoredReservation[]> {
    for (let from = 0; from < groups.length; from += EVENTS) yield this.#in(db, groups.slice(from, from + EVENTS));
  }

  async #heldUnder(db: Db, tenant: string, ids: readonly string[]): Promise<readonly StoredReservation[]> {
    const groups = await db
      .selectFrom('projection.hold_group')
      .select(['tenant', 'since'])
      .where('tenant', '=', tenant)
      .where('held', '>', 0)
      .orderBy('since')
      .execute();
    const wanted = new Set(ids);
    const quoted = ids.map((id) => JSON.stringify(id));
    const found: StoredReservation[] = [];
    for (let from = 0; from < groups.length; from += EVENTS) {
      const some = await this.#in(db, groups.slice(from, from + EVENTS), quoted);
      found.push(...some.filter(({ reservation_id }) => wanted.has(reservation_id)));
    }
    return found;
  }

  /** What has no row of its own is held as it was granted; an id whose row is of another position belongs to what was granted there. */
  async #in(db: Db, groups: readonly HoldGroup[], containing?: readonly string[]): Promise<readonly StoredReservation[]> {
    const found: (HoldGroup & Readonly<{ id: string; granted: Granted }>)[] = [];
    for await (const { group, granted } of this.#granted(groups, containing)) {
      for (const [id, one] of granted) found.push({ ...group, id, granted: one });
    }
    const keys = found.map(({ tenant, id }) => ({ tenant, reservationId: id }));
    const rows = new Map((await rowsOf(db, keys)).map((row) => [`${row.tenant} ${row.reservation_id}`, row]));
    return found.flatMap(({ tenant, since, id, granted }) => {
      const row = rows.get(`${tenant} ${id}`) ?? asGranted(tenant, since, id);
      return row.since === since ? [{ ...row, granted }] : [];
    });
  }

  /** Each group once, whatever its order. */
  async *#granted(
    groups: readonly HoldGroup[],
    containing?: readonly string[],
  ): AsyncIterable<Readonly<{ group: HoldGroup; granted: Grants }>> {
    const { partitions } = this.store;
    for (const [partition, here] of Map.groupBy(groups, ({ tenant }) => partitionOf(tenant, partitions))) {
      const positions = [...new Set(here.map(({ since }) => since))];
      for (let from = 0; from < positions.length; from += EVENTS) {
        yield* grantedTo(here, await this.#events(partition, positions.slice(from, from + EVENTS), containing));
      }
    }
  }

  /** By position and tenant; page after page. */
  async #events(partition: number, positions: readonly number[], containing?: readonly string[]): Promise<GrantsAt> {
    const events = new Map<number, ReadonlyMap<string, Grants>>();
    for (let rest = positions; rest.length > 0; ) {
      const page = await this.store.readAt(partition, rest, containing);
      for (const event of page) events.set(event.position, grantedIn(event));
      const last = page.at(-1)?.position ?? Number.POSITIVE_INFINITY;
      rest = rest.filter((position) => position > last);
    }
    return events;
  }
}

type GrantsAt = ReadonlyMap<number, ReadonlyMap<string, Grants>>;

/** Of the groups whose events are among these. */
function* grantedTo(groups: readonly HoldGroup[], events: GrantsAt) {
  const told = new Set<string>();
  for (const { tenant, since } of groups) {
    const granted = events.get(since)?.get(tenant);
    const key = keyOf({ tenant, since });
    if (granted === undefined || told.has(key)) continue;
    told.add(key);
    yield { group: { tenant, since }, granted };
  }
}

/**
 * Looked up one by one (`OFFSET 0` keeps the planner from joining): it takes many ids for a reason to read all that ever ended.
 */
const rowsOf = async (db: Db, keys: readonly ReservationKey[]): Promise<readonly Row[]> => {
  if (keys.length === 0) return [];
  const { rows } = await sql<Row>`
    SELECT became.* FROM unnest(
      ${column(keys, 'text', ({ tenant }) => tenant)}, ${column(keys, 'text', ({ reservationId }) => reservationId)}) AS named (tenant, id)
    CROSS JOIN LATERAL (
      SELECT * FROM projection.hold WHERE hold.tenant = named.tenant AND hold.reservation_id = named.id OFFSET 0
    ) AS became`.execute(db);
  return rows;
};

const asGranted = (tenant: string, since: number, id: string): Row => ({
  tenant,
  reservation_id: id,
  status: 'held',
  since,
  ended_at: null,
  ended_position: null,
  settled_by: null,
  actual: null,
  flags: [],
  position: since,
});

const keysOf = (tenant: string, ids: readonly string[]): readonly ReservationKey[] =>
  ids.map((reservationId) => ({ tenant, reservationId }));
const keyOf = ({ tenant, since }: HoldGroup): string => `${since} ${tenant}`;

const without = (ids: readonly string[], found: readonly StoredReservation[]): readonly string[] => {
  const known = new Set(found.map(({ reservation_id }) => reservation_id));
  return ids.filter((id) => !known.has(id));
};
