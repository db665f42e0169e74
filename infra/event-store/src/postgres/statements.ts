import { EVENT_COLUMNS } from '../encode-events.js';

/** What the append prepares once per connection. Names are short because they travel with every call. */
export const STATEMENTS = {
  begin: 'BEGIN ISOLATION LEVEL READ COMMITTED',
  lock: 'SELECT position FROM store.partitions WHERE partition = $1::int4 FOR UPDATE',
  revisions: `SELECT coalesce((SELECT e.revision FROM store.events e WHERE e.stream = s.stream ORDER BY e.revision DESC LIMIT 1), -1)
    FROM unnest($1::text[]) WITH ORDINALITY AS s(stream, nth) ORDER BY s.nth`,
  ids: 'SELECT id, position, revision, content_hash FROM store.events WHERE partition = $1::int4 AND id = ANY($2::uuid[])',
  advance: 'SELECT recorded_us, link FROM store.advance($1::int4, $2::int8, $3::int4, $4::bytea)',
  copy: `COPY store.events (${EVENT_COLUMNS}) FROM STDIN (FORMAT binary)`,
  commit: 'COMMIT',
} as const;

export type StatementName = keyof typeof STATEMENTS;
