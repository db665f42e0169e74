import { type Kysely, sql } from 'kysely';

/**
 * What was granted is said once, by the event in the ledger at the group's position (ADR 0042). A release that writes it here too, or looks for it here, is
 * refused by the column that is gone.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.hold_group DROP COLUMN granted;
    -- Whoever takes a partition reads its open groups page by page.
    DROP INDEX projection.hold_group_expiring;
    CREATE INDEX hold_group_expiring ON projection.hold_group (partition, since, tenant) WHERE held > 0;
  `.execute(db);
};
