import { type Kysely, sql } from 'kysely';

/** What alerting keeps. All of it comes back from the ledger: the alerts from `AlertRaised`, who acknowledged them from `AlertAcknowledged`. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE SCHEMA alerting;

    -- The ledger's head when these tables were begun: an alert up to it was raised, and delivered, by those before them.
    CREATE TABLE alerting.beginning (
      partition int PRIMARY KEY,
      position bigint NOT NULL
    );

    CREATE TABLE alerting.alert (
      tenant text NOT NULL,
      alert_id uuid NOT NULL,
      partition int NOT NULL,
      -- of its AlertRaised, in the partition and in the stream of the tenant's alerts
      position bigint NOT NULL,
      revision bigint NOT NULL,
      -- of the event that caused it
      cause_position bigint NOT NULL,
      event text NOT NULL,
      type text NOT NULL,
      severity text NOT NULL,
      source text NOT NULL,
      budget_id text,
      period_start timestamptz,
      -- AlertRaised, and what travels beside it
      data jsonb NOT NULL,
      meta jsonb NOT NULL,
      -- when its cause was recorded
      created_at timestamptz NOT NULL,
      -- when it was raised
      raised_at timestamptz NOT NULL,
      -- an e-mail or Slack message of it was held back by a rate limit
      suppressed boolean NOT NULL DEFAULT false,
      -- its place in stream ALERTS; NULL: still to be published there
      published_sequence bigint,
      PRIMARY KEY (tenant, alert_id)
    );
    CREATE UNIQUE INDEX ON alerting.alert (tenant, position DESC);
    CREATE INDEX ON alerting.alert (tenant, budget_id, position DESC);
    CREATE INDEX ON alerting.alert (tenant, budget_id, cause_position DESC) WHERE event <> 'threshold.crossed';
    CREATE INDEX ON alerting.alert (partition, position) WHERE published_sequence IS NULL;
    CREATE INDEX ON alerting.alert (published_sequence);

    -- Apart from the alert: it may be acknowledged before it is recorded.
    CREATE TABLE alerting.acknowledgement (
      tenant text NOT NULL,
      alert_id uuid NOT NULL,
      by_actor text,
      at timestamptz NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (tenant, alert_id)
    );

    -- Which stream ALERTS the published sequences are of: another one begins anew. At most one row.
    CREATE TABLE alerting.published_stream (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      stream_created text NOT NULL
    );
  `.execute(db);
};
