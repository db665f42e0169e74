import { formatInstant, type Period } from '@bursar/contracts';
import { Problem } from '@bursar/platform';
import { type Granularity, intervals } from '../domain/intervals.js';
import { addSpend, type SpendPart } from '../domain/spend-groups.js';

/** Intervals of one answer: 83 days by the hour, five years by the day. */
const MAX_INTERVALS = 2_000;

type Cell = SpendPart & Readonly<{ interval: number; key: string | null }>;
type Asked = Readonly<{
  span: Period | null;
  parts: readonly Period[];
  timezone: string;
  by: string | null;
  granularity?: Granularity | undefined;
}>;

/** The parts of a span that a granularity asks for; one, without. Throws 400 for too many. */
export const cut = (granularity: Granularity | undefined, timezone: string, span: Period): readonly Period[] => {
  if (granularity === undefined) return [span];
  const parts = intervals(granularity, timezone, span, MAX_INTERVALS);
  if (parts !== null) return parts;
  const message = `More than ${MAX_INTERVALS} intervals; ask for a shorter time or longer intervals`;
  throw new Problem('too_many', message, { errors: [{ pointer: '/granularity', message, code: 'too_many' }] });
};

/** Groups as they are answered, with their total: cells of several currencies are one group. */
export const showGroups = (cells: readonly Cell[], { span, parts, timezone, by, granularity }: Asked): object => {
  const groups = [...Map.groupBy(cells, (cell) => JSON.stringify([cell.interval, cell.key])).values()];
  const data = groups.map((group) => ({ ...place(group[0], parts, by, granularity), ...addSpend(group) }));
  return { ...shownSpan(span), timezone, by, granularity: granularity ?? null, data, total: addSpend(cells) };
};

export const shownSpan = (span: Period | null): object =>
  span === null ? { from: null, to: null } : { from: formatInstant(span.start), to: formatInstant(span.end) };

/** Which row of the answer it is. A value of null: the usage does not say. */
const place = (cell: Cell | undefined, parts: readonly Period[], by: string | null, granularity: Granularity | undefined): object => {
  const part = parts[cell?.interval ?? 0];
  const key = cell?.key ?? null;
  return {
    ...(granularity !== undefined && part !== undefined && { start: formatInstant(part.start), end: formatInstant(part.end) }),
    // A dimension may be called anything; `key` is always there.
    ...(by !== null && { ...(RESERVED.has(by) ? {} : { [by]: key }), key }),
  };
};

const RESERVED: ReadonlySet<string> = new Set(['start', 'end', 'key', 'spend', 'events', 'unpriced', 'inputTokens', 'outputTokens']);
