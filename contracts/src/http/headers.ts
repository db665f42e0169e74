import { isPlainText } from '../values/scope.js';
import { Complaint, type Reading } from './fields/complaint.js';

/** The longest a read waits for its `minPosition`, in seconds (API.md). */
export const MAX_WAIT_SECONDS = 10;

/** Seconds of `Prefer: wait=N`, at most 10; null without one. A preference that is not understood is ignored (RFC 7240 §2). */
export const readPreferWait = (header: string | undefined): number | null => {
  const match = /(?:^|[,;\s])wait\s*=\s*"?([0-9]{1,6})"?(?=$|[,;\s])/i.exec(header?.slice(0, 1000) ?? '');
  return match === null ? null : Math.min(Number(match[1]), MAX_WAIT_SECONDS);
};

/** `Idempotency-Key`: 1 to 255 characters without control characters (RELIABILITY IN-A23); null without one. */
export const readIdempotencyKey = (header: string | undefined): Reading<string | null> => {
  if (header === undefined) return null;
  const { length } = header;
  if (isPlainText(header, 255)) return header;
  return length > 255 ? new Complaint('too_long', 'Longer than 255 characters') : new Complaint('text_format');
};

/** `If-Match`: the revisions named by strong validators; `*` for any; null without one. Anything else matches nothing. */
export const readIfMatch = (header: string | undefined): '*' | readonly number[] | null => {
  if (header === undefined) return null;
  if (header.trim() === '*') return '*';
  return header.split(',').flatMap((tag) => {
    const match = /^\s*"([0-9]{1,15})"\s*$/.exec(tag);
    return match === null ? [] : [Number(match[1])];
  });
};
