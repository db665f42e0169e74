import { type Kysely, sql } from 'kysely';

/**
 * Usage that was voided, by its position. A count of a budget's past that was begun before the void names usage that waits for a rate:
 * when the count comes in, what was voided meanwhile must not wait again.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.voided (
      tenant text NOT NULL,
      position bigint NOT NULL,
      -- of the UsageVoided event
      voided_at bigint NOT NULL,
      PRIMARY KEY (tenant, position)
    );
  `.execute(db);
};
