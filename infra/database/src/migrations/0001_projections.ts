import { type Kysely, sql } from 'kysely';

/** Everything here can be dropped and comes back from the event store. Amounts are NUMERIC(38,12), exact. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE SCHEMA projection;

    -- How far each projection has folded each partition. The compare-and-set on (position, epoch) is the fence.
    CREATE TABLE projection.checkpoint (
      projection text NOT NULL,
      partition int NOT NULL,
      position bigint NOT NULL,
      epoch bigint NOT NULL,
      PRIMARY KEY (projection, partition)
    );

    -- The tenant's definition events (scopes, budgets, prices, rates), as folded: what a fold needs to load a tenant.
    CREATE TABLE projection.definition_event (
      projection text NOT NULL,
      tenant text NOT NULL,
      position bigint NOT NULL,
      partition int NOT NULL,
      stream text NOT NULL,
      revision bigint NOT NULL,
      id uuid NOT NULL,
      type text NOT NULL,
      version int NOT NULL,
      data text NOT NULL,
      meta text NOT NULL,
      recorded_at timestamptz NOT NULL,
      PRIMARY KEY (projection, tenant, position)
    );

    -- Usage that cannot be charged yet: no price, or no exchange rate. Visible, and charged when one arrives.
    CREATE TABLE projection.waiting (
      projection text NOT NULL,
      tenant text NOT NULL,
      position bigint NOT NULL,
      reason text NOT NULL CHECK (reason IN ('price', 'rate')),
      -- budgets that wait for a rate; empty while the price itself is missing
      budget_ids text[] NOT NULL,
      event text NOT NULL,
      PRIMARY KEY (projection, tenant, position)
    );

    CREATE TABLE projection.scope (
      tenant text NOT NULL,
      scope text NOT NULL,
      parents text[] NOT NULL,
      name text,
      attributes jsonb NOT NULL,
      position bigint NOT NULL,
      PRIMARY KEY (tenant, scope)
    );
    CREATE INDEX ON projection.scope USING gin (parents);

    CREATE TABLE projection.budget (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      scope text NOT NULL,
      name text NOT NULL,
      period_kind text NOT NULL,
      definition jsonb NOT NULL,
      revision bigint NOT NULL,
      created_position bigint NOT NULL,
      created_at timestamptz NOT NULL,
      created_by text,
      updated_at timestamptz NOT NULL,
      deleted boolean NOT NULL,
      -- NULL while its past is being added up (status counting)
      counted_position bigint,
      PRIMARY KEY (tenant, budget_id)
    );
    CREATE INDEX ON projection.budget (tenant, scope) WHERE NOT deleted;
    CREATE INDEX ON projection.budget (tenant, created_position DESC) WHERE NOT deleted;
    CREATE INDEX ON projection.budget (tenant) WHERE NOT deleted AND counted_position IS NULL;

    -- One row per budget and period that saw usage. Absolute values.
    CREATE TABLE projection.balance (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      period_end timestamptz,
      spend numeric(38,12) NOT NULL,
      events bigint NOT NULL,
      failed_spend numeric(38,12) NOT NULL,
      failed_events bigint NOT NULL,
      -- usage that waits for a price or a rate
      waiting bigint NOT NULL,
      last_usage_at timestamptz,
      position bigint NOT NULL,
      updated_at timestamptz NOT NULL,
      PRIMARY KEY (tenant, budget_id, period_start)
    ) WITH (fillfactor = 50); -- rows change with nearly every commit: room for the next version on the same page

    -- Current state of each threshold of a period; no row means armed, episode 1.
    CREATE TABLE projection.threshold (
      tenant text NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      threshold text NOT NULL,
      crossed boolean NOT NULL,
      episode int NOT NULL,
      PRIMARY KEY (tenant, budget_id, period_start, threshold)
    );

    -- One row per ThresholdCrossed, closed by its ThresholdCleared.
    CREATE TABLE projection.crossing (
      tenant text NOT NULL,
      alert_id uuid NOT NULL,
      budget_id text NOT NULL,
      period_start timestamptz NOT NULL,
      threshold text NOT NULL,
      episode int NOT NULL,
      data jsonb NOT NULL,
      -- place of the ThresholdCrossed itself in the ledger
      position bigint NOT NULL,
      crossed_at timestamptz NOT NULL,
      cleared_at timestamptz,
      PRIMARY KEY (tenant, alert_id)
    );
    CREATE INDEX ON projection.crossing (tenant, budget_id, position DESC);
    CREATE INDEX ON projection.crossing (tenant, budget_id, period_start, threshold, episode);

    -- Events decided in a fold, committed with it, appended to the store after it, then removed. Ids make repeats harmless.
    CREATE TABLE projection.outbox (
      partition int NOT NULL,
      sequence bigint GENERATED ALWAYS AS IDENTITY,
      stream text NOT NULL,
      id uuid NOT NULL,
      type text NOT NULL,
      version int NOT NULL,
      data text NOT NULL,
      meta text NOT NULL,
      PRIMARY KEY (partition, sequence)
    );

    -- Events that no fold could take: flagged, not skipped in silence (RELIABILITY F18).
    CREATE TABLE projection.quarantine (
      projection text NOT NULL,
      partition int NOT NULL,
      position bigint NOT NULL,
      tenant text,
      reason text NOT NULL,
      -- whose figures lack it ('incomplete'); NULL: every budget of the tenant
      budget_ids text[],
      PRIMARY KEY (projection, partition, position)
    );
    CREATE INDEX ON projection.quarantine (tenant);

    -- Breakdown: spend of every scope (ancestors included, once each) by quarter hour of effectiveAt and the dimensions people group by.
    -- Quarter hours, because some zones are :30 and :45 off.
    CREATE TABLE projection.rollup (
      tenant text NOT NULL,
      scope text NOT NULL,
      bucket timestamptz NOT NULL,
      -- canonical JSON of {meter, category, provider, model, agent, campaign, status, currency}
      key text NOT NULL,
      -- empty while the usage has no price
      currency text NOT NULL,
      spend numeric(38,12) NOT NULL,
      events bigint NOT NULL,
      unpriced bigint NOT NULL,
      input_tokens numeric NOT NULL,
      output_tokens numeric NOT NULL,
      PRIMARY KEY (tenant, scope, bucket, key)
    ) WITH (fillfactor = 80);

    -- Answers to POSTs with an Idempotency-Key, kept 24 h.
    CREATE SCHEMA api;
    CREATE TABLE api.idempotency (
      tenant text NOT NULL,
      key text NOT NULL,
      fingerprint bytea NOT NULL,
      status int,
      headers jsonb,
      body text,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (tenant, key)
    );
    CREATE INDEX ON api.idempotency (created_at);
  `.execute(db);
};
