import { type Kysely, sql } from 'kysely';

/** Balances that changed after their period's end, in the order of the ledger: what the reset-scheduler may have to state anew. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.late (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      partition int NOT NULL,
      -- of the last event that changed it
      position bigint NOT NULL,
      PRIMARY KEY (tenant, budget_id, period_start)
    );
    CREATE INDEX ON projection.late (partition, position);
  `.execute(db);
};
