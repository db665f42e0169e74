import type { PassedOver, Selection } from '../port.js';
import { COLUMNS, type EventRow, PAGE_BYTES, SIZE } from './event-rows.js';

/** Positions of one look: some milliseconds where all are passed over, 0.3 µs each. */
const SPAN = 10_000;

/**
 * Head and events are of one snapshot, and what is visible of a partition has no holes: so everything up to the head is there. The span is
 * said as a bound for the sake of the plan, as for other pages. Newer versions are rare: only where a version is above the least that is
 * passed over, its own type's is looked up. A row's data is not touched before it is known to be wanted.
 */
export const SELECT_PARTITION = `
  SELECT h.position, e.found, ${COLUMNS}
  FROM store.partitions h LEFT JOIN (
    SELECT e.*, sum(${SIZE}) OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS total, count(*) OVER () AS found
    FROM (
      SELECT * FROM store.events e
      WHERE e.partition = $1::int4 AND e.position > $2::int8 AND e.position <= $2::int8 + ${SPAN} AND (
        e.type <> ALL($4::text[]) OR (e.version > $6::int4 AND e.version > ($5::int4[])[array_position($4::text[], e.type)]))
      ORDER BY e.position LIMIT $3::int8
    ) e
  ) e ON e.total <= ${PAGE_BYTES} OR e.total = ${SIZE}
  WHERE h.partition = $1::int4 ORDER BY e.position`;

/** How many were found in the span, and one of those that fit in the page; none where nothing was found. */
export type SelectedRow = [head: string, found: string | null, ...row: EventRow];

export const selectValues = (partition: number, after: number, passedOver: PassedOver, limit: number): unknown[] => {
  const versions = [...passedOver.values()];
  return [partition, after, limit, [...passedOver.keys()], versions, Math.min(...versions, MAX_VERSION)];
};

const MAX_VERSION = 0x7fff_ffff;

/** How far was looked: to the last event where the page or the limit ended it, else to the end of the span or the partition. */
export const selectionOf = (
  rows: readonly SelectedRow[],
  after: number,
  limit: number,
): Readonly<{ rows: readonly EventRow[] }> & Pick<Selection, 'through' | 'head'> => {
  const head = Number(rows[0]?.[0] ?? 0);
  const found = Number(rows[0]?.[1] ?? 0);
  const events = found === 0 ? [] : rows.map(([, , ...row]) => row);
  const isCut = found > events.length || found >= limit;
  const through = isCut ? Number(events.at(-1)?.[1]) : Math.max(after, Math.min(head, after + SPAN));
  return { rows: events, through, head };
};
