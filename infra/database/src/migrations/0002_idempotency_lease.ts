import { type Kysely, sql } from 'kysely';

/**
 * An answer that is being made is leased, not locked: when the process that makes it dies, the lease runs out and the next attempt
 * under the same key takes over.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE api.idempotency ADD COLUMN leased_until timestamptz NOT NULL DEFAULT now()`.execute(db);
};
