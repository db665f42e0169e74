import { type Kysely, sql } from 'kysely';

/** Leases by consumer: alerting, the scheduler and the relay share partitions among their replicas as the projectors do. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.replica ADD COLUMN consumer text NOT NULL DEFAULT 'budget';
    ALTER TABLE projection.lease ADD COLUMN consumer text NOT NULL DEFAULT 'budget';
    ALTER TABLE projection.lease DROP CONSTRAINT lease_pkey, ADD PRIMARY KEY (consumer, partition);
  `.execute(db);
};
