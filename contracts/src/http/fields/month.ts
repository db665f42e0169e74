import { Complaint } from './complaint.js';
import { type Field, field } from './field.js';

/** A calendar month, `2026-11`. */
export const monthText: Field<string> = field({ type: 'string', pattern: '^[0-9]{4}-(0[1-9]|1[0-2])$' }, (value) =>
  typeof value === 'string' && /^(?:19[7-9]|[2-9][0-9]{2})[0-9]-(?:0[1-9]|1[0-2])$/.test(value)
    ? value
    : new Complaint('time_format', 'Expected a month like 2026-11'),
);
