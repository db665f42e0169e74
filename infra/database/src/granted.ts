import { type RawBuilder, sql } from 'kysely';

/**
 * Beside `projection.hold AS hold`: JSON of what was granted under the id, null where only usage named it. For a few: each reads the whole group
 * that it was granted in.
 */
export const grantOfHold: RawBuilder<string | null> = sql`(
  SELECT one.value::text FROM projection.hold_group AS held CROSS JOIN LATERAL json_array_elements(held.grants::json) AS one (value)
  WHERE held.tenant = hold.tenant AND held.since = hold.since AND one.value ->> 'reservationId' = hold.reservation_id)`;

/**
 * A FROM item: every hold of the groups (`held`) with its own row (`hold`) and its grant (`one.value`, of type json). For many of them: a group is read once.
 */
export const heldInGroups: RawBuilder<unknown> = sql`
  projection.hold_group AS held
  CROSS JOIN LATERAL json_array_elements(held.grants::json) AS one (value)
  JOIN projection.hold ON hold.tenant = held.tenant AND hold.reservation_id = one.value ->> 'reservationId' AND hold.since = held.since`;
