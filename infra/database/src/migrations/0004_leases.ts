import { type Kysely, sql } from 'kysely';

/** Who owns which partition, by the database's clock. Leases save work and date plain answers; what makes commits safe is the checkpoint. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    -- Projector processes that live, so that each knows its fair share.
    CREATE TABLE projection.replica (
      replica text PRIMARY KEY,
      expires_at timestamptz NOT NULL
    );

    -- A partition may be taken once its lease has run out; each new owner gets the next epoch. No row: never owned.
    CREATE TABLE projection.lease (
      partition int PRIMARY KEY,
      -- NULL: given up
      owner text,
      epoch bigint NOT NULL,
      expires_at timestamptz NOT NULL
    );
  `.execute(db);
};
