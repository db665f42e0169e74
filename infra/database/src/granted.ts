import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { HoldTable } from './schema.js';

/**
 * A query of rows of `projection.hold`, each with its `grant`: JSON of what was granted under the id, null where only usage named it. A group is read
 * once, however many of its holds are asked for.
 * @param holds selects all columns of `projection.hold`
 */
export const withGrants = (holds: RawBuilder<unknown>): RawBuilder<Selectable<HoldTable> & Readonly<{ grant: string | null }>> => sql`
  WITH hold AS MATERIALIZED (${holds}),
  granted AS (
    SELECT held.tenant, held.since, one.value ->> 'reservationId' AS reservation_id, one.value::text AS "grant"
    FROM (SELECT DISTINCT tenant, since FROM hold) AS place
    JOIN projection.hold_group AS held USING (tenant, since)
    CROSS JOIN LATERAL json_array_elements(held.grants::json) AS one (value)
  )
  SELECT hold.*, granted."grant" FROM hold LEFT JOIN granted USING (tenant, since, reservation_id)`;

/**
 * A FROM item: every hold of the groups (`held`) with its own row (`hold`) and its grant (`one.value`, of type json). For many of them: a group is read once.
 */
export const heldInGroups: RawBuilder<unknown> = sql`
  projection.hold_group AS held
  CROSS JOIN LATERAL json_array_elements(held.grants::json) AS one (value)
  JOIN projection.hold ON hold.tenant = held.tenant AND hold.reservation_id = one.value ->> 'reservationId' AND hold.since = held.since`;
