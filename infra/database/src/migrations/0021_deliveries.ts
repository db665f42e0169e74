import { type Kysely, sql } from 'kysely';

/**
 * Where alerts go, and how that went. Channels and settings come back from the ledger. Deliveries are decided from it (which alert goes
 * to which channel, under which id); their attempts are a record of work, which no ledger holds.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    -- Channels as they are at the checkpoint.
    CREATE TABLE alerting.channel (
      tenant text NOT NULL,
      channel_id text NOT NULL,
      -- ChannelSaved as stored, secrets sealed
      channel jsonb NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (tenant, channel_id)
    );

    -- What a tenant's settings say about alerts, at the checkpoint.
    CREATE TABLE alerting.preference (
      tenant text PRIMARY KEY,
      preferences jsonb NOT NULL
    );

    -- What e-mail and Slack have lately said: one row per channel and kind of notice of a budget (PRODUCT D3).
    CREATE TABLE alerting.notice (
      tenant text NOT NULL,
      channel_id text NOT NULL,
      notice text NOT NULL,
      -- instants of those sent within the window, oldest first
      sent jsonb NOT NULL,
      -- the delivery that will sum up what is held back now
      summary_id uuid,
      summary_at timestamptz,
      PRIMARY KEY (tenant, channel_id, notice)
    );

    CREATE TABLE alerting.delivery (
      delivery_id uuid PRIMARY KEY,
      tenant text NOT NULL,
      alert_id uuid NOT NULL,
      -- position of its AlertRaised: the order in which a channel gets them
      position bigint NOT NULL,
      channel_id text NOT NULL,
      channel_type text NOT NULL,
      channel_name text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('alert', 'summary')),
      status text NOT NULL CHECK (status IN
        ('pending', 'sending', 'delivered', 'dead', 'suppressed', 'not_configured', 'channel_disabled', 'channel_removed')),
      -- made so far; since it was last begun anew (a replay)
      attempt_count int NOT NULL DEFAULT 0,
      tries int NOT NULL DEFAULT 0,
      -- [{number, at, durationMs, outcome, status, detail}]
      attempts jsonb NOT NULL DEFAULT '[]',
      -- pending: when it is tried next; sending: when the attempt under way counts as lost
      due_at timestamptz,
      -- whose attempt is under way: only that one may say how it went
      lease uuid,
      begun_at timestamptz,
      -- suppressed: the summary that tells of it
      summary_id uuid,
      -- {subject, text} of what would have been sent
      preview jsonb,
      created_at timestamptz NOT NULL,
      delivered_at timestamptz
    );
    CREATE INDEX ON alerting.delivery (tenant, alert_id, position);
    CREATE INDEX ON alerting.delivery (tenant, channel_id, due_at, position) WHERE status IN ('pending', 'sending');
    CREATE INDEX ON alerting.delivery (summary_id) WHERE summary_id IS NOT NULL;

    -- One row per channel with something to do: what claims and breaks it, for all replicas alike.
    CREATE TABLE alerting.target (
      tenant text NOT NULL,
      channel_id text NOT NULL,
      -- in a row
      failures int NOT NULL DEFAULT 0,
      -- breaker: not before; NULL: it is closed
      open_until timestamptz,
      -- when there is something to do; NULL: nothing
      next_at timestamptz,
      PRIMARY KEY (tenant, channel_id)
    );
    CREATE INDEX ON alerting.target (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX ON alerting.target (open_until) WHERE open_until IS NOT NULL;
  `.execute(db);
};
