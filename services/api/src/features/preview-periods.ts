import { anchorPeriod, formatInstant, type Period, parseInstant, periodAt, periodOffset } from '@bursar/contracts';
import type { PeriodPreview } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Answer, ok } from './answer.js';

/** Instants that can be said: RFC 3339 has four-digit years. */
const FIRST = parseInstant('1970-01-01T00:00:00Z');
const LAST = parseInstant('9998-12-31T23:59:59Z');

/** POST /periods/preview: the period that holds `at`, moved by `offset`, and those after it. Fewer where a one-off period has no next. */
export const previewPeriods = ({ period, at, offset, count }: PeriodPreview, now: string): Answer => {
  const from = at ?? now;
  const definition = anchorPeriod(period, from);
  const periods: Period[] = [];
  let next = periodAt(definition, parseInstant(from));
  if (next !== null && offset !== 0) next = periodOffset(definition, next, offset);
  while (next !== null && periods.length < count) {
    if (next.start < FIRST || next.end > LAST) throw outOfRange();
    periods.push(next);
    next = periodOffset(definition, next, 1);
  }
  return ok({ periods: periods.map(({ start, end }) => ({ start: formatInstant(start), end: formatInstant(end) })) });
};

const outOfRange = (): Problem => {
  const message = 'A period outside the years 1970 to 9998';
  return new Problem('time_range', message, { errors: [{ pointer: '/offset', message, code: 'time_range' }] });
};
