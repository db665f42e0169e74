import { type EpochNs, formatInstant } from '@bursar/contracts';
import { column, type Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { nextDue } from '../../domain/due.js';
import type { Rule, Timer } from '../../domain/timer.js';

type Session = Kysely<Database>;
export type BudgetKey = Readonly<{ tenant: string; budgetId: string }>;

export type TimerRow = Readonly<{
  tenant: string;
  budget_id: string;
  rule: Rule;
  open_start: string | null;
  expired: string | null;
  failures: number;
}>;

/** Of budgets with a timer, those ({@link keyOf}) whose open period does not begin there. */
export const timersElsewhere = async (
  trx: Session,
  keys: readonly (BudgetKey & Readonly<{ openStart: string | null }>)[],
): Promise<ReadonlySet<string>> => {
  if (keys.length === 0) return new Set();
  const { rows } = await sql<{ tenant: string; budget_id: string }>`
    SELECT timer.tenant, timer.budget_id FROM scheduler.timer
    JOIN unnest(
      ${column(keys, 'text', ({ tenant }) => tenant)},
      ${column(keys, 'text', ({ budgetId }) => budgetId)},
      ${column(keys, 'text', ({ openStart }) => openStart)}) AS u (tenant, budget_id, open_start)
      ON timer.tenant = u.tenant AND timer.budget_id = u.budget_id AND timer.open_start IS DISTINCT FROM u.open_start`.execute(trx);
  return new Set(rows.map(({ tenant, budget_id }) => keyOf({ tenant, budgetId: budget_id })));
};

/** Locked, in an order that two consumers share, so that they wait for one another instead of for ever. */
export const lockTimers = async (trx: Session, keys: readonly BudgetKey[]): Promise<ReadonlyMap<string, Timer>> => {
  const { rows } = await sql<TimerRow>`
    SELECT timer.tenant, timer.budget_id, rule, open_start, expired, failures FROM scheduler.timer
    JOIN unnest(${column(keys, 'text', ({ tenant }) => tenant)}, ${column(keys, 'text', ({ budgetId }) => budgetId)}) AS u (tenant, budget_id)
      ON timer.tenant = u.tenant AND timer.budget_id = u.budget_id
    ORDER BY timer.tenant, timer.budget_id FOR UPDATE OF timer`.execute(trx);
  return new Map(rows.map((row) => [keyOf({ tenant: row.tenant, budgetId: row.budget_id }), toTimer(row)]));
};

export const keyOf = ({ tenant, budgetId }: BudgetKey): string => `${tenant}\u0000${budgetId}`;

export const toTimer = ({ tenant, budget_id, rule, open_start, expired }: TimerRow): Timer => ({
  tenant,
  budgetId: budget_id,
  rule,
  openStart: open_start,
  expired,
});

/** As the ledger says: an entry that was stuck stays so until an operator retries it. */
export const saveTimers = async (trx: Session, partition: number, timers: readonly Timer[]): Promise<void> => {
  if (timers.length === 0) return;
  await sql`
    INSERT INTO scheduler.timer AS timer (tenant, budget_id, partition, rule, open_start, expired, due_at)
    SELECT u.tenant, u.budget_id, ${partition}::int, u.rule::jsonb, u.open_start, u.expired, u.due_at FROM unnest(
      ${column(timers, 'text', ({ tenant }) => tenant)},
      ${column(timers, 'text', ({ budgetId }) => budgetId)},
      ${column(timers, 'text', ({ rule }) => JSON.stringify(rule))},
      ${column(timers, 'text', ({ openStart }) => openStart)},
      ${column(timers, 'text', ({ expired }) => expired)},
      ${column(timers, 'timestamptz', (timer) => dueText(nextDue(timer)))}) AS u (tenant, budget_id, rule, open_start, expired, due_at)
    ON CONFLICT (tenant, budget_id) DO UPDATE SET
      rule = excluded.rule, open_start = excluded.open_start, expired = excluded.expired, due_at = excluded.due_at`.execute(trx);
};

/** What a turn left: the timer, and when its next turn is. `isRuled`: its rule is another. */
export type Turn = Readonly<{ timer: Timer; isRuled: boolean; failures: number; dueAt: EpochNs | null; stuck: string | null }>;

export const saveTurns = async (trx: Session, turns: readonly Turn[]): Promise<void> => {
  if (turns.length === 0) return;
  await sql`
    UPDATE scheduler.timer SET rule = coalesce(u.rule::jsonb, timer.rule), open_start = u.open_start, expired = u.expired, due_at = u.due_at, failures = u.failures,
      stuck = u.stuck, stuck_since = CASE WHEN u.stuck IS NULL THEN NULL ELSE now() END
    FROM unnest(
      ${column(turns, 'text', ({ timer }) => timer.tenant)},
      ${column(turns, 'text', ({ timer }) => timer.budgetId)},
      ${column(turns, 'text', ({ timer, isRuled }) => (isRuled ? JSON.stringify(timer.rule) : null))},
      ${column(turns, 'text', ({ timer }) => timer.openStart)},
      ${column(turns, 'text', ({ timer }) => timer.expired)},
      ${column(turns, 'timestamptz', ({ dueAt }) => dueText(dueAt))},
      ${column(turns, 'int', ({ failures }) => failures)},
      ${column(turns, 'text', ({ stuck }) => stuck)})
      AS u (tenant, budget_id, rule, open_start, expired, due_at, failures, stuck)
    WHERE timer.tenant = u.tenant AND timer.budget_id = u.budget_id`.execute(trx);
};

export const removeTimers = async (trx: Session, keys: readonly BudgetKey[]): Promise<void> => {
  if (keys.length === 0) return;
  await sql`
    DELETE FROM scheduler.timer USING unnest(
      ${column(keys, 'text', ({ tenant }) => tenant)}, ${column(keys, 'text', ({ budgetId }) => budgetId)}) AS u (tenant, budget_id)
    WHERE timer.tenant = u.tenant AND timer.budget_id = u.budget_id`.execute(trx);
};

/** Given up on, for metrics. */
export const countStuck = async (db: Session): Promise<number> => {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM scheduler.timer WHERE stuck IS NOT NULL`.execute(db);
  return rows[0]?.count ?? 0;
};

/** Never before the instant: a column keeps microseconds. */
const dueText = (at: EpochNs | null): string | null => (at === null ? null : formatInstant(((at + 999n) / 1_000n) * 1_000n));
