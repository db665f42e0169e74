import { type HoldGranted, type HoldReservation, type HoldTerms, holdGranted, parseInstant, parsePicos } from '@bursar/contracts';
import { type HoldBook, holdFacts } from '@bursar/contracts/folds';
import { type Database, type GrantTexts, heldInGroups, heldUnder, withGrants } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely, type Selectable, sql } from 'kysely';
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

/** Reservations as the projector keeps them. */
@Injectable()
export class Holds {
  constructor(private readonly db: Kysely<Database>) {}

  /** None is read where nobody names one. */
  async named(tenant: string, usages: readonly Naming[]): Promise<Grants> {
    const ids = [...new Set(usages.flatMap(({ data }) => data.reservationId ?? []))];
    if (ids.length === 0) return NONE;
    const grants = (await this.#read(tenant, ids)).flatMap((row) => {
      const wire = grantIn(row);
      return wire === null ? [] : [{ since: row.since, wire }];
    });
    return new Grants(new Map(grants.map((grant) => [grant.wire.reservationId, grant])));
  }

  /** The grant of a reservation, as far as it is folded; null: nothing was granted under this id. */
  async granted(tenant: string, reservationId: string): Promise<HoldGranted | null> {
    const [row] = await this.#read(tenant, [reservationId]);
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

  /** Most have ended, and have a row: of the usage that the projector has not folded yet, what it names is held. */
  async #read(tenant: string, ids: readonly string[]): Promise<readonly Granted[]> {
    const ended = await this.#ended(tenant, ids);
    const others = without(ids, ended);
    if (others.length === 0) return ended;
    const { rows: held } = await heldUnder(tenant, others).execute(this.db);
    const gone = without(others, held);
    // What ended between the two reads has a row by now.
    return [...ended, ...held, ...(gone.length === 0 ? [] : await this.#ended(tenant, gone))];
  }

  async #ended(tenant: string, ids: readonly string[]): Promise<readonly Granted[]> {
    const named = sql`SELECT * FROM projection.hold WHERE tenant = ${tenant} AND reservation_id = ANY (${ids}::text[])`;
    return (await withGrants(named).execute(this.db)).rows;
  }

  /** What was held on budgets at a position, by budget; the fold has come that far. Reads every reservation of the tenant that names one. */
  async openAt(tenant: string, budgetIds: readonly string[], position: number): Promise<ReadonlyMap<string, readonly HeldThen[]>> {
    const { rows } = await sql<{ since: number; terms: string }>`
      SELECT hold.since, terms.value::text AS terms FROM ${heldInGroups}
      WHERE held.tenant = ${tenant} AND held.since <= ${position} AND held.budget_ids && ${budgetIds}::text[]
        AND (hold.ended_position IS NULL OR hold.ended_position > ${position})`.execute(this.db);
    const held = rows.flatMap(({ since, terms }) => {
      const { budgets, grantedAt } = JSON.parse(terms) as HoldTerms;
      const at = parseInstant(grantedAt);
      return budgets.map(({ budgetId, amount }) => ({ budgetId, position: since, at, picos: parsePicos(amount) }));
    });
    return Map.groupBy(held, ({ budgetId }) => budgetId);
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

type Granted = Selectable<Database['projection.hold']> & GrantTexts;

const without = (ids: readonly string[], found: readonly Granted[]): readonly string[] => {
  const known = new Set(found.map(({ reservation_id }) => reservation_id));
  return ids.filter((id) => !known.has(id));
};

/** What a row's reservation was granted; null: only usage named it. */
const grantIn = ({ tenant, terms, reservation }: Readonly<{ tenant: string }> & GrantTexts): HoldGranted | null =>
  terms === null || reservation === null
    ? null
    : holdGranted(tenant, JSON.parse(terms) as HoldTerms, JSON.parse(reservation) as HoldReservation);

/** `terms`: their JSON. */
export type HoldRow = Selectable<Database['projection.hold']> & Readonly<{ terms: string }>;

/** Open holds on a budget, the newest first: before this position, or from the head. */
export const openHoldsOn = async (
  trx: Kysely<Database>,
  tenant: string,
  budgetId: string,
  before: Readonly<{ since: number; reservationId: string }> | null,
  limit: number,
): Promise<readonly HoldRow[]> => {
  const from =
    before === null
      ? sql``
      : sql`AND held.since <= ${before.since} AND (hold.since, hold.reservation_id) < (${before.since}, ${before.reservationId})`;
  const { rows } = await sql<HoldRow>`
    SELECT hold.*, terms.value::text AS terms FROM ${heldInGroups}
    WHERE held.tenant = ${tenant} AND held.held > 0 AND ${budgetId} = ANY (held.budget_ids) AND hold.status = 'held' ${from}
      AND terms.value::jsonb -> 'budgets' @> ${JSON.stringify([{ budgetId }])}::jsonb
    ORDER BY hold.since DESC, hold.reservation_id DESC LIMIT ${limit}`.execute(trx);
  return rows;
};

/** Is anything held in any period of the budget, as far as it is folded? */
export const isHeld = async (db: Kysely<Database>, tenant: string, budgetId: string): Promise<boolean> =>
  (await db
    .selectFrom('projection.reserved')
    .select('budget_id')
    .where('tenant', '=', tenant)
    .where('budget_id', '=', budgetId)
    .limit(1)
    .executeTakeFirst()) !== undefined;
