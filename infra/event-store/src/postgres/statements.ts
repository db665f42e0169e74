import { EVENT_COLUMNS } from '../encode-events.js';

/** Prepared once per connection under its name. */
export type Statement = Readonly<{ name: string; text: string }>;

/** What an append sends. */
export const BEGIN: Statement = { name: 'store_begin', text: 'BEGIN ISOLATION LEVEL READ COMMITTED' };

export const LOCK_HEAD: Statement = {
  name: 'store_lock',
  text: 'SELECT position FROM store.partitions WHERE partition = $1::int4 FOR UPDATE',
};

export const REVISIONS: Statement = {
  name: 'store_revisions',
  text: `SELECT coalesce((SELECT e.revision FROM store.events e WHERE e.stream = s.stream ORDER BY e.revision DESC LIMIT 1), -1)
    FROM unnest($1::text[]) WITH ORDINALITY AS s(stream, nth) ORDER BY s.nth`,
};

export const KNOWN_IDS: Statement = {
  name: 'store_ids',
  text: 'SELECT id, position, revision, content_hash FROM store.events WHERE partition = $1::int4 AND id = ANY($2::uuid[])',
};

export const ADVANCE: Statement = {
  name: 'store_advance',
  text: 'SELECT recorded_us, link FROM store.advance($1::int4, $2::int8, $3::int4, $4::bytea)',
};

export const APPEND_ONE: Statement = {
  name: 'store_append_one',
  text: `SELECT recorded_us, link FROM store.append_one($1::int4, $2::int8, $3::bytea,
    $4::uuid, $5::text, $6::int8, $7::text, $8::int4, $9::bytea, $10::text, $11::text)`,
};

export const COPY_EVENTS: Statement = { name: 'store_copy', text: `COPY store.events (${EVENT_COLUMNS}) FROM STDIN (FORMAT binary)` };

export const COMMIT: Statement = { name: 'store_commit', text: 'COMMIT' };
