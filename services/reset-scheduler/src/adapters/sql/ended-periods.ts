import { type EventOf, parseInstant } from '@bursar/contracts';
import { column, type Database, type StoredRestatement } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { BudgetKey } from './timers.js';

type Session = Kysely<Database>;
export type PeriodRef = BudgetKey & Readonly<{ periodStart: string }>;

/** What the ledger says of a period's end. */
export type EndedPeriod = PeriodRef &
  Readonly<{
    position: number;
    ended: EventOf<'PeriodEnded'>['data'];
    /** Oldest first. */
    restatements: readonly StoredRestatement[];
  }>;

/**
 * Keeps what was said. One whose period starts where a period of an earlier calendar did replaces it. Where the balance has changed since
 * the position the figures are of, the period is to be compared once more.
 */
export const saveEnded = async (trx: Session, partition: number, events: readonly EventOf<'PeriodEnded'>[]): Promise<void> => {
  const latest = [
    ...new Map(events.map((event) => [`${event.meta.tenant}\u0000${event.data.budgetId}\u0000${event.data.periodStart}`, event])).values(),
  ];
  if (latest.length === 0) return;
  const keys = sql`
    ${column(latest, 'text', ({ meta }) => meta.tenant)},
    ${column(latest, 'text', ({ data }) => data.budgetId)},
    ${column(latest, 'timestamptz', ({ data }) => data.periodStart)}`;
  await sql`
    INSERT INTO scheduler.period AS period (tenant, budget_id, period_start, partition, position, ended, recorded_at)
    SELECT u.tenant, u.budget_id, u.period_start, ${partition}::int, u.position, u.ended::jsonb, u.recorded_at FROM unnest(
      ${keys},
      ${column(latest, 'bigint', ({ position }) => position)},
      ${column(latest, 'text', ({ data }) => JSON.stringify(data))},
      ${column(latest, 'timestamptz', ({ recordedAt }) => recordedAt)}) AS u (tenant, budget_id, period_start, position, ended, recorded_at)
    ON CONFLICT (tenant, budget_id, period_start) DO UPDATE SET
      position = excluded.position, ended = excluded.ended, recorded_at = excluded.recorded_at, restatements = '[]'
    WHERE period.position < excluded.position`.execute(trx);
  await sql`
    INSERT INTO scheduler.recheck (tenant, budget_id, period_start, partition)
    SELECT late.tenant, late.budget_id, late.period_start, ${partition}::int
    FROM unnest(${keys}, ${column(latest, 'bigint', ({ data }) => data.through)}) AS u (tenant, budget_id, period_start, through)
    JOIN projection.late AS late USING (tenant, budget_id, period_start)
    WHERE late.position > u.through
    ON CONFLICT DO NOTHING`.execute(trx);
};

/** Numbered, so that one that is known already changes nothing. */
export const saveRestated = async (trx: Session, event: Pick<EventOf<'PeriodRestated'>, 'data' | 'meta' | 'recordedAt'>): Promise<void> => {
  const { data, meta, recordedAt } = event;
  await sql`
    UPDATE scheduler.period SET restatements = restatements || ${JSON.stringify([{ ...data, recordedAt }])}::jsonb
    WHERE tenant = ${meta.tenant} AND budget_id = ${data.budgetId} AND period_start = ${data.periodStart}
      AND jsonb_array_length(restatements) = ${data.restatement}::int - 1`.execute(trx);
};

/** Those asked for that have ended in the ledger, as far as it is consumed. */
export const endedPeriods = async (db: Session, keys: readonly PeriodRef[]): Promise<readonly EndedPeriod[]> => {
  if (keys.length === 0) return [];
  type Row = Pick<EndedPeriod, 'position' | 'ended' | 'restatements'> & { tenant: string; budget_id: string };
  const { rows } = await sql<Row>`
    SELECT period.tenant, period.budget_id, period.position, period.ended, period.restatements
    FROM unnest(
      ${column(keys, 'text', ({ tenant }) => tenant)},
      ${column(keys, 'text', ({ budgetId }) => budgetId)},
      ${column(keys, 'timestamptz', ({ periodStart }) => periodStart)}) AS k (tenant, budget_id, period_start)
    JOIN scheduler.period AS period USING (tenant, budget_id, period_start)`.execute(db);
  return rows
    .map(({ tenant, budget_id, ...rest }) => ({ tenant, budgetId: budget_id, periodStart: rest.ended.periodStart, ...rest }))
    .sort((a, b) => (parseInstant(a.periodStart) < parseInstant(b.periodStart) ? -1 : 1));
};
