import { type HoldGranted, holdGranted, parseInstant, parsePicos } from '@bursar/contracts';
import { type HoldBook, holdFacts } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { type Granted, type HoldGroup, Reservations, type StoredReservation } from '@bursar/reservations';
import { Injectable } from '@nestjs/common';
import { Kysely, sql } from 'kysely';
import type { HeldThen } from '../../domain/budget-as-of.js';

type Naming = Readonly<{ data: Readonly<{ reservationId?: string }> }>;
type Grant = Readonly<{ since: number; wire: HoldGranted }>;

/** Grants that usage names, to be told to its charge right before that is made. */
export class Grants {
  constructor(private readonly byId: ReadonlyMap<string, Grant>) {}

  tell(holds: HoldBook, { data: { reservationId } }: Naming): void {
    const grant = reservationId === undefined ? undefined : this.byId.get(reservationId);
    if (grant !== undefined) holds.know(grant.wire.reservationId, grant.since, holdFacts(grant.wire));
  }

  /** Overrides without which the reservation that this usage names would have been refused. */
  overridesOf({ data: { reservationId } }: Naming): readonly string[] {
    return (reservationId === undefined ? undefined : this.byId.get(reservationId)?.wire.overrideIds) ?? [];
  }
}

const NONE = new Grants(new Map());

/** Granted together, read at once: most hold one, or some tens. */
const GROUPS = 50;

/** An open hold. */
export type HeldOn = StoredReservation & Readonly<{ granted: Granted }>;

const isHeldOn =
  (budgetId: string, before: Readonly<{ since: number; reservationId: string }> | null) =>
  (one: StoredReservation): one is HeldOn =>
    one.status === 'held' &&
    one.granted?.terms.budgets.some((share) => share.budgetId === budgetId) === true &&
    (before === null || one.since < before.since || (one.since === before.since && one.reservation_id < before.reservationId));

const newestFirst = (a: HeldOn, b: HeldOn): number => b.since - a.since || (a.reservation_id < b.reservation_id ? 1 : -1);

/** Reservations as the projector keeps them, with what the ledger says was granted. */
@Injectable()
export class Holds {
  readonly #reservations: Reservations;

  constructor(
    private readonly db: Kysely<Database>,
    store: EventStore,
  ) {
    this.#reservations = new Reservations(store);
  }

  /** None is read where nobody names one. */
  async named(tenant: string, usages: readonly Naming[]): Promise<Grants> {
    const ids = [...new Set(usages.flatMap(({ data }) => data.reservationId ?? []))];
    if (ids.length === 0) return NONE;
    const grants = (await this.#reservations.named(this.db, tenant, ids)).flatMap((row) => {
      const wire = grantIn(row);
      return wire === null ? [] : [{ since: row.since, wire }];
    });
    return new Grants(new Map(grants.map((grant) => [grant.wire.reservationId, grant])));
  }

  /** The grant of a reservation, as far as it is folded; null: nothing was granted under this id. */
  async granted(tenant: string, reservationId: string): Promise<HoldGranted | null> {
    const [row] = await this.#reservations.named(this.db, tenant, [reservationId]);
    return row === undefined ? null : grantIn(row);
  }

  /** Positions of the events that granted the tenant something, from one on, as far as they are folded. */
  async grantedAfter(tenant: string, position: number, limit: number): Promise<readonly number[]> {
    const rows = await this.db
      .selectFrom('projection.hold_group')
      .select('since')
      .where('tenant', '=', tenant)
      .where('since', '>', position)
      .orderBy('since')
      .limit(limit)
      .execute();
    return rows.map(({ since }) => since);
  }

  /** What was held on budgets at a position, by budget; the fold has come that far. Reads what was granted together of which some was held then. */
  async openAt(tenant: string, budgetIds: readonly string[], position: number): Promise<ReadonlyMap<string, readonly HeldThen[]>> {
    const { rows: groups } = await sql<HoldGroup>`
      SELECT tenant, since FROM projection.hold_group
      WHERE tenant = ${tenant} AND since <= ${position} AND (held > 0 OR position > ${position}) AND budget_ids && ${budgetIds}::text[]
      ORDER BY since`.execute(this.db);
    const held: (HeldThen & Readonly<{ budgetId: string }>)[] = [];
    for await (const some of this.#reservations.inGroups(this.db, groups)) {
      for (const { since, ended_position: endedPosition, granted } of some) {
        if (granted === null || (endedPosition !== null && endedPosition <= position)) continue;
        const { budgets, grantedAt } = granted.terms;
        const at = parseInstant(grantedAt);
        held.push(...budgets.map(({ budgetId, amount }) => ({ budgetId, position: since, at, picos: parsePicos(amount) })));
      }
    }
    return Map.groupBy(held, ({ budgetId }) => budgetId);
  }

  /** Open holds on a budget, the newest first: before this place, or from the head. On the snapshot that `trx` is of. */
  async openOn(
    trx: Kysely<Database>,
    tenant: string,
    budgetId: string,
    before: Readonly<{ since: number; reservationId: string }> | null,
    limit: number,
  ): Promise<readonly HeldOn[]> {
    const found: HeldOn[] = [];
    for (let [upTo, isOver] = [before?.since ?? Number.MAX_SAFE_INTEGER, false]; !isOver && found.length < limit; ) {
      const { rows: groups } = await sql<HoldGroup>`
        SELECT tenant, since FROM projection.hold_group
        WHERE tenant = ${tenant} AND held > 0 AND ${budgetId} = ANY (budget_ids) AND since <= ${upTo} ORDER BY since DESC LIMIT ${GROUPS}`.execute(
        trx,
      );
      const isWanted = isHeldOn(budgetId, before);
      // One by one: a call takes only so many arguments, and an event may grant thousands.
      for await (const some of this.#reservations.inGroups(trx, groups)) for (const one of some) if (isWanted(one)) found.push(one);
      upTo = (groups.at(-1)?.since ?? 0) - 1;
      isOver = groups.length < GROUPS;
    }
    return found.sort(newestFirst).slice(0, limit);
  }

  /** What the fold found usage at these positions to be, where it named a reservation. */
  async flags(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, readonly string[]>> {
    if (positions.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('projection.settlement')
      .select(['position', 'flags'])
      .where('tenant', '=', tenant)
      .where('position', 'in', positions)
      .execute();
    return new Map(rows.map(({ position, flags }) => [position, flags]));
  }
}

/** What a reservation was granted; null: only usage named it. */
const grantIn = ({ tenant, granted }: StoredReservation): HoldGranted | null =>
  granted === null ? null : holdGranted(tenant, granted.terms, granted.reservation);

/** Is anything held in any period of the budget, as far as it is folded? */
export const isHeld = async (db: Kysely<Database>, tenant: string, budgetId: string): Promise<boolean> =>
  (await db
    .selectFrom('projection.reserved')
    .select('budget_id')
    .where('tenant', '=', tenant)
    .where('budget_id', '=', budgetId)
    .limit(1)
    .executeTakeFirst()) !== undefined;
