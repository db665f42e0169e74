import { type Kysely, sql } from 'kysely';

/**
 * A reservation has a row of its own only when something became of it: until then its group says all there is (ADR 0037). Rows that are there stay as they
 * are. The column has another name now: a release that looks for a row of each, and would miss what is held, is refused.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.hold_group RENAME COLUMN open TO held;
    -- A row is written once, and seldom twice.
    ALTER TABLE projection.hold RESET (fillfactor);
  `.execute(db);
};
