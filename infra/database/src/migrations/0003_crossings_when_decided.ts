import { type Kysely, sql } from 'kysely';

/**
 * A crossing is written by the transaction that decides it, so that status and alerts never contradict each other. Its own place in the
 * ledger comes later; what orders it is the event that caused it, and its place among what that event caused.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.crossing
      -- NULL until the ThresholdCrossed itself is folded
      ALTER COLUMN position DROP NOT NULL,
      ADD COLUMN cause_position bigint,
      ADD COLUMN cause_index int;

    UPDATE projection.crossing SET cause_position = n.cause_position, cause_index = n.cause_index
    FROM (
      SELECT tenant, alert_id, (data ->> 'causePosition')::bigint AS cause_position,
        row_number() OVER (PARTITION BY tenant, data ->> 'causePosition' ORDER BY position) - 1 AS cause_index
      FROM projection.crossing
    ) AS n
    WHERE crossing.tenant = n.tenant AND crossing.alert_id = n.alert_id;

    ALTER TABLE projection.crossing ALTER COLUMN cause_position SET NOT NULL, ALTER COLUMN cause_index SET NOT NULL;
    DROP INDEX projection.crossing_tenant_budget_id_position_idx;
    CREATE INDEX ON projection.crossing (tenant, budget_id, cause_position DESC, cause_index DESC);
  `.execute(db);
};
