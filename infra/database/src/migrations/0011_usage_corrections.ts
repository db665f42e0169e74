import { type Kysely, sql } from 'kysely';

/**
 * What was said of usage after it: that it was a mistake, or that it costs something else. A fold of the next one has to know what stands,
 * and a count of a budget's past that was begun before it has to know that it came. Replaces `voided`, which knew of voids alone.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.usage_correction (
      tenant text NOT NULL,
      -- of the UsageRecorded event
      position bigint NOT NULL,
      -- of the UsageVoided or UsageRerated event
      corrected_at bigint NOT NULL,
      -- what it costs from there on; NULL: it was voided
      amount numeric(38,12),
      currency text,
      -- somebody stated the cost: corrections of prices leave it alone
      stated boolean NOT NULL,
      PRIMARY KEY (tenant, position, corrected_at)
    );
    INSERT INTO projection.usage_correction (tenant, position, corrected_at, stated)
      SELECT tenant, position, voided_at, true FROM projection.voided;
    DROP TABLE projection.voided;

    -- Corrections of prices whose usage is not all rerated yet.
    CREATE TABLE projection.price_correction (
      tenant text NOT NULL,
      correction_id text NOT NULL,
      list_id text NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (tenant, correction_id)
    );
  `.execute(db);
};
