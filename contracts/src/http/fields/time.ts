import { readDuration } from '../../values/duration.js';
import { formatInstant, readInstant } from '../../values/instant.js';
import { canonicalTimeZone } from '../../values/timezone.js';
import { Complaint, type Reading } from './complaint.js';
import { type Field, field } from './field.js';

/** The canonical UTC text of an RFC 3339 instant. */
export const readInstantText = (value: unknown): Reading<string> => {
  const ns = readInstant(value);
  return typeof ns === 'bigint' ? formatInstant(ns) : new Complaint(ns);
};

/** RFC 3339 with an offset; canonical UTC text inside. */
export const instantText: Field<string> = field({ type: 'string', format: 'date-time' }, readInstantText);

/** An IANA time zone, old country names resolved. */
export const timeZone: Field<string> = field(
  { type: 'string', description: 'IANA time zone', examples: ['Europe/Berlin'] },
  (value) => canonicalTimeZone(value) ?? new Complaint('timezone'),
);

/** `30d`, `12h`, `P1M`: kept as sent, `readDuration` understands both forms. */
export const durationText: Field<string> = field(
  { type: 'string', description: '10s, 30m (minutes), 12h, 30d, 2w or ISO 8601', examples: ['30d', 'P1M'] },
  (value) => (readDuration(value) !== null ? (value as string) : new Complaint('duration_format')),
);
