import { type Kysely, sql } from 'kysely';

/** Which version of the IANA time zone data boundaries were computed with, and since when (RELIABILITY F32). */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    -- One row per change: the last is in use.
    CREATE TABLE scheduler.time_zone_data (
      since timestamptz PRIMARY KEY,
      version text NOT NULL
    );
  `.execute(db);
};
