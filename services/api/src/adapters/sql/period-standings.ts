import { type EpochNs, formatInstant, parsePicos } from '@bursar/contracts';
import type { ThresholdState } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

export type PeriodKey = Readonly<{ budgetId: string; start: EpochNs }>;
/** Spend in picos, and the thresholds that have said something; those that have not are armed. */
export type PeriodStanding = Readonly<{ spend: bigint; thresholds: ReadonlyMap<string, ThresholdState> }>;

/** Any periods of a tenant's budgets, in the order asked for; what has no row has spent nothing. */
export const periodStandings = async (
  trx: Kysely<Database>,
  tenant: string,
  keys: readonly PeriodKey[],
): Promise<readonly PeriodStanding[]> => {
  if (keys.length === 0) return [];
  const { rows } = await sql<{ spend: string | null; thresholds: readonly [string, boolean, number][] | null }>`
    SELECT trim_scale(b.spend)::text AS spend, (
      SELECT json_agg(json_build_array(t.threshold, t.crossed, t.episode)) FROM projection.threshold t
      WHERE t.tenant = ${tenant} AND t.budget_id = k.budget_id AND t.period_start = k.period_start
    ) AS thresholds
    FROM unnest(${keys.map(({ budgetId }) => budgetId)}::text[], ${keys.map(({ start }) => formatInstant(start))}::timestamptz[])
      WITH ORDINALITY AS k(budget_id, period_start, n)
    LEFT JOIN projection.balance b ON b.tenant = ${tenant} AND b.budget_id = k.budget_id AND b.period_start = k.period_start
    ORDER BY k.n`.execute(trx);
  return rows.map(({ spend, thresholds }) => ({
    spend: parsePicos(spend ?? '0'),
    thresholds: new Map((thresholds ?? []).map(([key, crossed, episode]): [string, ThresholdState] => [key, { crossed, episode }])),
  }));
};
