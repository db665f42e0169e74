import { formatMicros } from '../instants.js';
import type { Query } from './query.js';

const RUNS = `SELECT a.last, store.micros(a.recorded_at) FROM store.appends a
  WHERE a.partition = $1::int4 AND a.last BETWEEN $2::int8 AND
    (SELECT b.last FROM store.appends b WHERE b.partition = $1::int4 AND b.last >= $3::int8 ORDER BY b.last LIMIT 1)
  ORDER BY a.last`;

const EACH = `SELECT store.micros((SELECT a.recorded_at FROM store.appends a
    WHERE a.partition = $1::int4 AND a.last >= p.position ORDER BY a.last LIMIT 1))
  FROM unnest($2::int8[]) WITH ORDINALITY AS p(position, nth) ORDER BY p.nth`;

/** In any order; null where there is no such position. */
export const recordedEach = async (query: Query, partition: number, positions: readonly number[]): Promise<readonly (string | null)[]> => {
  if (positions.length === 0) return [];
  const rows = await query<[string | null]>('store_recorded_each', EACH, [partition, positions]);
  return rows.map(([micros], index) => (micros === null || (positions[index] ?? 0) < 1 ? null : formatMicros(Number(micros))));
};

/** A span this many times longer than its events is looked up event by event. */
const SPARSE = 4;

/**
 * The `recordedAt` of events at ascending positions. It is kept once per append, not in every row (docs/adr/0002); joining it in SQL
 * costs a search per event, this one scan over the appends of the span.
 */
export const recordedTimes = async (query: Query, partition: number, positions: readonly number[]): Promise<readonly string[]> => {
  const [first, last] = [positions[0], positions.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (last - first > positions.length * SPARSE) return (await recordedEach(query, partition, positions)).map((time) => time ?? '');
  const runs = await query<[string, string]>('store_recorded_runs', RUNS, [partition, first, last]);
  let nth = -1;
  let end = 0;
  let time = '';
  return positions.map((position) => {
    while (position > end) {
      nth += 1;
      const run = runs[nth];
      if (run === undefined) throw new Error(`no append covers position ${position} of partition ${partition}`);
      end = Number(run[0]);
      time = formatMicros(Number(run[1]));
    }
    return time;
  });
};
