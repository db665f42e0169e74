import { type EpochNs, formatInstant, type LedgerEvent, parseInstant, parsePicos, upcast } from '@bursar/contracts';
import type { ThresholdState } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { StoredPeriod } from '../../features/projection-tables.js';
import { column } from './columns.js';

type Session = Kysely<Database>;

export const readDefinitions = async (db: Session, tenant: string, after: number, limit: number): Promise<readonly LedgerEvent[]> => {
  const rows = await db
    .selectFrom('projection.definition_event')
    .selectAll()
    .where('projection', '=', 'budget')
    .where('tenant', '=', tenant)
    .where('position', '>', after)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map(
    ({ partition, position, stream, revision, id, type, version, data, meta, recorded_at }) =>
      ({
        partition,
        position,
        stream,
        revision,
        id,
        type,
        recordedAt: recorded_at,
        meta: JSON.parse(meta),
        data: upcast(type, version, JSON.parse(data)),
      }) as LedgerEvent,
  );
};

type BalanceFields = {
  spend: string | null;
  events: number;
  failed_spend: string;
  failed_events: number;
  waiting: number;
  last_usage_at: string | null;
  position: number;
  updated_at: string;
};
type ThresholdFields = { thresholds: readonly [string, boolean, number][] | null };

/** Thresholds of one period as one JSON value beside its balance. */
const thresholdsOf = sql`
  SELECT json_agg(json_build_array(t.threshold, t.crossed, t.episode)) AS thresholds FROM projection.threshold t
  WHERE t.tenant = k.tenant AND t.budget_id = k.budget_id AND t.period_start = k.period_start`;
const balanceFields = sql`b.spend, b.events, b.failed_spend, b.failed_events, b.waiting, b.last_usage_at, b.position, b.updated_at`;

/** One answer per key, in order. Matched by place, not by instant: a column keeps microseconds, a period start may have nanoseconds. */
export const readPeriods = async (
  db: Session,
  tenant: string,
  keys: readonly Readonly<{ budgetId: string; start: EpochNs }>[],
): Promise<readonly (StoredPeriod | null)[]> => {
  const { rows } = await sql<BalanceFields & ThresholdFields>`
    SELECT ${balanceFields}, t.thresholds
    FROM (
      SELECT ${tenant}::text AS tenant, u.budget_id, u.period_start, u.n FROM unnest(
        ${column(keys, 'text', (key) => key.budgetId)},
        ${column(keys, 'timestamptz', (key) => formatInstant(key.start))}) WITH ORDINALITY AS u (budget_id, period_start, n)
    ) k
    LEFT JOIN projection.balance b ON b.tenant = k.tenant AND b.budget_id = k.budget_id AND b.period_start = k.period_start
    LEFT JOIN LATERAL (${thresholdsOf}) t ON true
    ORDER BY k.n`.execute(db);
  return keys.map(({ start }, index) => {
    const row = rows[index];
    return row === undefined || (row.spend === null && row.thresholds === null) ? null : toPeriod(start, row);
  });
};

/** Periods that have a balance, or only thresholds left from before a recount. */
export const readPeriodsEndingAfter = async (
  db: Session,
  tenant: string,
  budgetId: string,
  instant: EpochNs,
): Promise<readonly StoredPeriod[]> => {
  const { rows } = await sql<BalanceFields & ThresholdFields & { period_start: string }>`
    SELECT k.period_start, ${balanceFields}, t.thresholds
    FROM (
      SELECT tenant, budget_id, period_start FROM projection.balance
      WHERE tenant = ${tenant} AND budget_id = ${budgetId} AND (period_end IS NULL OR period_end > ${formatInstant(instant)})
      UNION
      SELECT tenant, budget_id, period_start FROM projection.threshold WHERE tenant = ${tenant} AND budget_id = ${budgetId}
    ) k
    LEFT JOIN projection.balance b ON b.tenant = k.tenant AND b.budget_id = k.budget_id AND b.period_start = k.period_start
    LEFT JOIN LATERAL (${thresholdsOf}) t ON true
    ORDER BY k.period_start`.execute(db);
  return rows.map((row) => toPeriod(parseInstant(row.period_start), row));
};

const toPeriod = (start: EpochNs, row: BalanceFields & ThresholdFields): StoredPeriod => ({
  start,
  sums:
    row.spend === null
      ? null
      : {
          spend: parsePicos(trimZeros(row.spend)),
          events: row.events,
          failedSpend: parsePicos(trimZeros(row.failed_spend)),
          failedEvents: row.failed_events,
          waiting: row.waiting,
          lastUsageAt: row.last_usage_at === null ? null : parseInstant(row.last_usage_at),
        },
  position: row.spend === null ? 0 : row.position,
  updatedAt: row.spend === null ? '' : row.updated_at,
  thresholds: new Map((row.thresholds ?? []).map(([key, crossed, episode]): [string, ThresholdState] => [key, { crossed, episode }])),
});

/** NUMERIC(38,12) comes with all its zeros; a canonical decimal has none. */
export const trimZeros = (text: string): string => text.replace(/\.?0+$/, '') || '0';
