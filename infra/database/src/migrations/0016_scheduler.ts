import { type Kysely, sql } from 'kysely';

/** What the reset-scheduler keeps. All of it can be dropped and comes back from the ledger, but that an entry was stuck. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE SCHEMA scheduler;

    -- How far each partition is consumed ('ledger'), and how far its late balances are looked through ('late').
    CREATE TABLE scheduler.checkpoint (
      consumer text NOT NULL,
      partition int NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (consumer, partition)
    );

    -- One per live budget: when the clock has something to say of it.
    CREATE TABLE scheduler.timer (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      partition int NOT NULL,
      -- the periods, validity and overrides that decide when
      rule jsonb NOT NULL,
      -- start of the first period that was not said to have ended: text, because a table keeps microseconds only
      open_start text,
      -- validUntil that was said to have passed
      expired text,
      -- NULL: never
      due_at timestamptz,
      failures int NOT NULL DEFAULT 0,
      -- why it is given up until an operator retries it
      stuck text,
      stuck_since timestamptz,
      PRIMARY KEY (tenant, budget_id)
    );
    CREATE INDEX ON scheduler.timer (partition, due_at) WHERE stuck IS NULL;
    CREATE INDEX ON scheduler.timer (stuck_since) WHERE stuck IS NOT NULL;

    -- What the ledger says of periods that ended.
    CREATE TABLE scheduler.period (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      partition int NOT NULL,
      -- place of the PeriodEnded
      position bigint NOT NULL,
      -- its data
      ended jsonb NOT NULL,
      recorded_at timestamptz NOT NULL,
      -- data of the PeriodRestated since, oldest first, each with its recordedAt
      restatements jsonb NOT NULL DEFAULT '[]',
      PRIMARY KEY (tenant, budget_id, period_start)
    );

    -- Periods whose balance had changed by the time that their end was consumed: to be compared once more.
    CREATE TABLE scheduler.recheck (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      partition int NOT NULL,
      PRIMARY KEY (tenant, budget_id, period_start)
    );
    CREATE INDEX ON scheduler.recheck (partition);
  `.execute(db);
};
