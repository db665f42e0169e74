import { type Kysely, sql } from 'kysely';

/** Where a replica is asked for decisions: the owner of a partition answers them, and the others pass them on to it. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    -- NULL: it does not listen yet, or is of a release that decides nothing
    ALTER TABLE projection.replica ADD COLUMN url text;
  `.execute(db);
};
