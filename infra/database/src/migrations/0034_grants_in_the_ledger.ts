import { type Kysely, sql } from 'kysely';

/**
 * What was granted is said once, by the event in the ledger at the group's position (ADR 0042). A release that writes it here too, or looks for it here, is
 * refused by the column that is gone.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE projection.hold_group DROP COLUMN granted`.execute(db);
};
