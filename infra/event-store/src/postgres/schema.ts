/**
 * The store's own schema, by version; a released entry never changes. Why the rows look like this: docs/adr/0002.
 *
 * - `partitions` is the head row of each partition. Every append locks it until its commit, so positions are dense and in commit
 *   order: a rolled back append leaves no hole, and a reader that sees n sees all before it.
 * - `appends` has one row per append: its last position, its `recordedAt`, and the hash chain's link there.
 * - A stream's last revision is read from `events_stream`; it has no row of its own to keep.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store.installation (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), partitions int4 NOT NULL);

  CREATE TABLE store.partitions (
    partition int4 PRIMARY KEY,
    position int8 NOT NULL DEFAULT 0,
    link bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    recorded_at timestamptz
  ) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

  CREATE TABLE store.appends (
    partition int4 NOT NULL,
    last int8 NOT NULL,
    first int8 NOT NULL,
    recorded_at timestamptz NOT NULL,
    link bytea NOT NULL,
    PRIMARY KEY (partition, last)
  );

  CREATE TABLE store.events (
    position int8 NOT NULL,
    revision int8 NOT NULL,
    partition int4 NOT NULL,
    version int4 NOT NULL,
    id uuid NOT NULL,
    content_hash bytea NOT NULL,
    stream text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    data text COLLATE "C" NOT NULL,
    meta text COLLATE "C" NOT NULL,
    CONSTRAINT events_position PRIMARY KEY (partition, position),
    CONSTRAINT events_id UNIQUE (partition, id),
    CONSTRAINT events_stream UNIQUE (stream, revision)
  );

  CREATE VIEW store.readable_events AS
    SELECT e.partition, e.position, a.recorded_at, e.stream, e.revision, e.id, e.type, e.version, e.data::jsonb AS data, e.meta::jsonb AS meta
    FROM store.events e
    JOIN store.appends a ON a.partition = e.partition AND e.position BETWEEN a.first AND a.last;

  -- The store's clock, in one place.
  CREATE FUNCTION store.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

  CREATE FUNCTION store.micros(at timestamptz) RETURNS int8 LANGUAGE sql IMMUTABLE STRICT AS
    'SELECT (extract(epoch FROM at) * 1000000)::int8';

  -- Moves a partition's head over the events that this transaction stores, and links them. The clock is read after the lock is held:
  -- whoever has seen the head at an instant knows that what comes later is recorded later.
  CREATE FUNCTION store.advance(p_partition int4, p_expected int8, p_count int4, p_digest bytea, OUT recorded_us int8, OUT link bytea)
  LANGUAGE plpgsql AS $$
  DECLARE
    head record;
    at timestamptz;
  BEGIN
    SELECT h.position, h.link, h.recorded_at INTO head FROM store.partitions h WHERE h.partition = p_partition FOR UPDATE;
    IF head.position IS DISTINCT FROM p_expected THEN
      RAISE EXCEPTION 'the head of partition % is at %, not at %', p_partition, head.position, p_expected USING ERRCODE = 'BU001';
    END IF;
    at := greatest(store.clock(), head.recorded_at);
    recorded_us := store.micros(at);
    link := sha256(head.link || int8send(p_expected + 1) || int8send(recorded_us) || p_digest);
    UPDATE store.partitions h SET position = p_expected + p_count, link = advance.link, recorded_at = at WHERE h.partition = p_partition;
    INSERT INTO store.appends (partition, last, first, recorded_at, link)
      VALUES (p_partition, p_expected + p_count, p_expected + 1, at, advance.link);
  END $$;

  CREATE FUNCTION store.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'what is stored never changes: % on store.% refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BU002';
  END $$;
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON store.events EXECUTE FUNCTION store.refuse_change();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON store.appends EXECUTE FUNCTION store.refuse_change();
  `,
  `
  ALTER TABLE store.events ALTER COLUMN data SET STORAGE EXTERNAL;
  `,
  `
  -- An append of one event, in one statement: what it moves and what it stores stand or fall together.
  CREATE FUNCTION store.append_one(
    p_partition int4, p_expected int8, p_digest bytea,
    p_id uuid, p_stream text, p_revision int8, p_type text, p_version int4, p_content_hash bytea, p_data text, p_meta text,
    OUT recorded_us int8, OUT link bytea)
  LANGUAGE plpgsql AS $$
  BEGIN
    SELECT moved.recorded_us, moved.link INTO append_one.recorded_us, append_one.link
      FROM store.advance(p_partition, p_expected, 1, p_digest) AS moved;
    INSERT INTO store.events (partition, position, id, stream, revision, type, version, content_hash, data, meta)
      VALUES (p_partition, p_expected + 1, p_id, p_stream, p_revision, p_type, p_version, p_content_hash, p_data, p_meta);
  END $$;
  `,
];
