import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { HoldTable } from './schema/holds.js';

/** What was granted under an id, each as its JSON (contracts `HoldTerms`, `HoldReservation`); null where only usage named it. */
export type GrantTexts = Readonly<{ terms: string | null; reservation: string | null }>;

/**
 * A query of rows of `projection.hold`, each with what was granted under its id. A group is read once, however many of its holds are asked for.
 * @param holds selects all columns of `projection.hold`
 */
export const withGrants = (holds: RawBuilder<unknown>): RawBuilder<Selectable<HoldTable> & GrantTexts> => sql`
  WITH hold AS MATERIALIZED (${holds}),
  granted AS (
    SELECT held.tenant, held.since, one.value ->> 'id' AS reservation_id, granted.value -> 'terms' AS terms, one.value AS reservation
    FROM (SELECT DISTINCT tenant, since FROM hold) AS place
    JOIN projection.hold_group AS held USING (tenant, since)
    CROSS JOIN LATERAL json_array_elements(held.granted::json) AS granted (value)
    CROSS JOIN LATERAL json_array_elements(granted.value -> 'reservations') AS one (value)
  )
  SELECT hold.*, granted.terms::text AS terms, granted.reservation::text AS reservation
  FROM hold LEFT JOIN granted USING (tenant, since, reservation_id)`;

/**
 * A FROM item: every hold of the groups (`held`) as it is (`hold`, with the columns of `projection.hold`), its terms (`terms.value`, of type json) and what
 * else its grant says of it (`one.value`). What has no row of its own is held as it was granted. For many of them: a group is read once. Rows are looked
 * up one by one (`OFFSET 0` keeps the planner from joining): how many a group holds is a guess to it, and a large one, for which it would read all that ever ended.
 */
export const heldInGroups: RawBuilder<unknown> = sql`
  projection.hold_group AS held
  CROSS JOIN LATERAL json_array_elements(held.granted::json) AS granted (value)
  CROSS JOIN LATERAL (SELECT granted.value -> 'terms') AS terms (value)
  CROSS JOIN LATERAL json_array_elements(granted.value -> 'reservations') AS one (value)
  LEFT JOIN LATERAL (
    SELECT * FROM projection.hold AS became WHERE became.tenant = held.tenant AND became.reservation_id = one.value ->> 'id' OFFSET 0
  ) AS became ON true
  JOIN LATERAL (
    SELECT held.tenant, one.value ->> 'id' AS reservation_id, COALESCE(became.status, 'held') AS status, held.since, became.ended_at,
      became.ended_position, became.settled_by, became.actual, COALESCE(became.flags, '{}') AS flags, COALESCE(became.position, held.since) AS position
  ) AS hold ON became.since IS NULL OR became.since = held.since`;

/**
 * A query of what the tenant holds under these ids as it was granted, each as a row of `projection.hold` with its grant: it has no row to be found by, so all
 * that is held is looked through, by text first.
 */
export const heldUnder = (tenant: string, ids: readonly string[]): RawBuilder<Selectable<HoldTable> & GrantTexts> => sql`
  SELECT hold.*, terms.value::text AS terms, one.value::text AS reservation FROM ${heldInGroups}
  WHERE held.tenant = ${tenant} AND held.held > 0 AND hold.status = 'held' AND hold.reservation_id = ANY (${ids}::text[])
    AND EXISTS (SELECT FROM unnest(${ids.map((id) => JSON.stringify(id))}::text[]) AS quoted WHERE strpos(held.granted, quoted) > 0)`;
