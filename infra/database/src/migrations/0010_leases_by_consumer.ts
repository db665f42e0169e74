import { type Kysely, sql } from 'kysely';

/**
 * Leases by consumer: the relay, alerting and the scheduler share partitions among their replicas as the projectors do. So what the relay
 * notes of stream EVENTS is by partition, too; the notes until now say less than the new ones would, and are only notes.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.replica ADD COLUMN consumer text NOT NULL DEFAULT 'budget';
    ALTER TABLE projection.lease ADD COLUMN consumer text NOT NULL DEFAULT 'budget';
    ALTER TABLE projection.lease DROP CONSTRAINT lease_pkey, ADD PRIMARY KEY (consumer, partition);

    DROP TABLE projection.relay_mark;

    -- Stream EVENTS as it was last known; a lower last sequence, or another time of making, means that it lost messages.
    CREATE TABLE projection.relay_stream (
      singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
      stream_created text NOT NULL,
      sequence bigint NOT NULL,
      -- How often the fan-out has gone back: who does not know of the last time may note nothing.
      rewinds bigint NOT NULL
    );

    -- Everything of a partition up to the position has this sequence in EVENTS or a lower one. One row for each span of time.
    CREATE TABLE projection.relay_mark (
      partition int NOT NULL,
      span bigint NOT NULL,
      stream_created text NOT NULL,
      sequence bigint NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (partition, span)
    );
  `.execute(db);
};
