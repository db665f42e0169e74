import { type Kysely, sql } from 'kysely';

/**
 * What was granted alike is said once, in the table as in the ledger (ADR 0036). The column has another name now: a release that writes what it held
 * before is refused.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.hold_group RENAME COLUMN grants TO granted;
    UPDATE projection.hold_group AS held SET granted = (
      SELECT json_agg(json_build_object('change', 'granted', 'reservations', json_build_array(said.reservation),
        'tenant', one.value -> 'tenant', 'terms', said.terms))
      FROM json_array_elements(held.granted::json) AS one (value)
      CROSS JOIN LATERAL (
        SELECT json_object_agg(key, CASE key WHEN 'tightest' THEN value -> 'budgetId' ELSE value END)
            FILTER (WHERE key NOT IN ('change', 'tenant', 'reservationId')) AS terms,
          json_build_object('id', one.value -> 'reservationId', 'remaining', one.value -> 'tightest' -> 'remaining',
            'graceRemaining', one.value -> 'tightest' -> 'graceRemaining') AS reservation
        FROM json_each(one.value)
      ) AS said
    )::text;
  `.execute(db);
};
