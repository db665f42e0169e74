import { type Kysely, sql } from 'kysely';

/** Reservations: what each id stands for, what is held in each period, and what usage that named one was found to be. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.hold (
      tenant text NOT NULL,
      reservation_id text NOT NULL,
      partition int NOT NULL,
      -- 'held', 'settled', 'released', 'expired'; 'unknown': usage named it, and nothing was granted
      status text NOT NULL,
      -- JSON of the grant, as the ledger says it; NULL: nothing was granted
      "grant" text,
      budget_ids text[] NOT NULL,
      -- position of the grant, or of the usage that named it
      since bigint NOT NULL,
      expires_at timestamptz,
      ended_at timestamptz,
      ended_position bigint,
      -- id of the first usage event that named it
      settled_by uuid,
      -- what that cost, in the hold's currency
      actual numeric(38,12),
      flags text[] NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (tenant, reservation_id)
    );
    CREATE INDEX hold_open ON projection.hold (tenant, since) WHERE status = 'held';
    CREATE INDEX hold_expiring ON projection.hold (partition, expires_at) WHERE status = 'held';

    -- no row: nothing is held in the period
    CREATE TABLE projection.reserved (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      reserved numeric(38,12) NOT NULL,
      PRIMARY KEY (tenant, budget_id, period_start)
    );

    CREATE TABLE projection.settlement (
      tenant text NOT NULL,
      -- of the usage
      position bigint NOT NULL,
      reservation_id text NOT NULL,
      flags text[] NOT NULL,
      PRIMARY KEY (tenant, position)
    );
  `.execute(db);
};
