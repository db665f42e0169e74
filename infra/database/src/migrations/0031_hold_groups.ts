import { type Kysely, sql } from 'kysely';

/**
 * Reservations cost the database less: what was granted together is one row, as the ledger has it in one event, and a reservation's own
 * row, found by its id, says only what became of it (ADR 0035).
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.hold_group (
      tenant text NOT NULL,
      -- of the event that granted them
      since bigint NOT NULL,
      partition int NOT NULL,
      -- JSON array of the grants, as the ledger says them; from ten of them on it is not worth the time to compress it
      grants text STORAGE EXTERNAL NOT NULL,
      -- those that one of them holds something of
      budget_ids text[] NOT NULL,
      -- how many of them are held
      open int NOT NULL,
      -- position of the last event that changed one of them
      position bigint NOT NULL,
      PRIMARY KEY (tenant, since)
    );
    CREATE INDEX hold_group_open ON projection.hold_group (tenant, since) WHERE open > 0;
    CREATE INDEX hold_group_expiring ON projection.hold_group (partition) WHERE open > 0;

    INSERT INTO projection.hold_group
      SELECT tenant, since, min(partition), '[' || string_agg("grant", ',') || ']',
        '{}', count(*) FILTER (WHERE status = 'held'), max(position)
      FROM projection.hold WHERE "grant" IS NOT NULL GROUP BY tenant, since;
    UPDATE projection.hold_group AS held SET budget_ids = found.ids
      FROM (SELECT tenant, since, array_agg(DISTINCT id) AS ids FROM projection.hold, unnest(budget_ids) AS id GROUP BY tenant, since) AS found
      WHERE held.tenant = found.tenant AND held.since = found.since;

    DROP INDEX projection.hold_open, projection.hold_expiring;
    ALTER TABLE projection.hold DROP COLUMN "grant", DROP COLUMN budget_ids, DROP COLUMN expires_at, DROP COLUMN partition;
    -- What becomes of a reservation is written beside it.
    ALTER TABLE projection.hold SET (fillfactor = 60);
  `.execute(db);
};
