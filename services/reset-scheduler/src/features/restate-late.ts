import { type EpochNs, formatInstant, type Period, parseInstant, periodOffset } from '@bursar/contracts';
import { MAX_ROLLOVER_PERIODS, rollsOver } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { type EndedPeriod, endedPeriods, type PeriodRef } from '../adapters/sql/ended-periods.js';
import { latePeriods, lockLooked, looked, partitionsWithLate } from '../adapters/sql/late-balances.js';
import { type BudgetKey, keyOf } from '../adapters/sql/timers.js';
import { type PeriodKey, type ProjectedBudget, periodKey, readProjection } from '../adapters/sql/views.js';
import { TIME_ZONE_DATA } from '../adapters/time-zone-data.js';
import { periodOf } from '../domain/periods.js';
import { restate } from '../domain/restate.js';
import { restatedId, type Saying, say } from '../domain/say.js';
import type { Figures } from '../domain/statement.js';
import { type BudgetThen, balancesFor, NO_SUMS, type Sums, type View } from '../domain/view.js';
import type { CloseWatch } from './close-due.js';
import { firstOf, historyBefore } from './history.js';
import type { Ledger } from './ledger.js';

const MOST = 200;
const FROZEN_MS = 4_000;

/** A restatement of that number is in the ledger and not consumed yet: what it said is compared once it is. */
class NotConsumedYetError extends Error {
  override readonly name = 'NotConsumedYetError';
}

/**
 * Balances that changed after their period had ended, compared with what was said of that end: what differs is said anew, numbered, and
 * however many events came late together, once. With a rollover, the periods after are compared too.
 */
export class RestateLate {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly ledger: Ledger,
    private readonly watch: Pick<CloseWatch, 'said'>,
    private readonly reads: Kysely<Database> = db,
  ) {}

  /** Looks through every partition that has some. `hurry` makes its follower write how far it has come: nothing past that is looked at. */
  async execute(hurry: (partition: number) => Promise<void>): Promise<void> {
    for (const partition of await partitionsWithLate(this.db)) {
      await hurry(partition);
      while ((await this.#turn(partition)) === MOST) {
        // The rest of what came late together.
      }
    }
  }

  #turn(partition: number): Promise<number> {
    const work = this.db.transaction().execute(async (trx) => {
      await sql`SELECT set_config('idle_in_transaction_session_timeout', ${String(FROZEN_MS)}, true)`.execute(trx);
      const after = await lockLooked(trx, partition);
      if (after === null) return 0;
      const late = (await latePeriods(trx, partition, after, MOST)).slice(0, MOST);
      const ended = await endedPeriods(trx, late);
      if (ended.length > 0) await this.#restate(trx, partition, ended);
      await looked(trx, partition, late);
      return late.length;
    });
    return work.catch((error: unknown) => {
      if (error instanceof NotConsumedYetError) return 0;
      throw error;
    });
  }

  async #restate(trx: Kysely<Database>, partition: number, late: readonly EndedPeriod[]): Promise<void> {
    const budgets: readonly BudgetKey[] = [...new Map(late.map((period) => [keyOf(period), period])).values()];
    const startsOf = Map.groupBy(late, keyOf);
    const asked = new Map<string, readonly Period[]>();
    const {
      position,
      sums,
      budgets: rows,
    } = await readProjection(this.reads, partition, budgets, (found) =>
      budgets.flatMap((key, index) => {
        const budget = found[index] ?? null;
        if (budget === null) return [];
        const periods = affected(budget.now, startsOf.get(keyOf(key)) ?? []);
        asked.set(keyOf(key), periods);
        return periods.flatMap((period) => balancesFor(budget.now, period)).map(({ start }): PeriodKey => ({ ...key, start }));
      }),
    );
    for (const [index, { tenant, budgetId }] of budgets.entries()) {
      const budget = rows[index] ?? null;
      if (budget === null) continue;
      const periods = asked.get(keyOf({ tenant, budgetId })) ?? [];
      const refs = periods.map(({ start }): PeriodRef => ({ tenant, budgetId, periodStart: formatInstant(start) }));
      const stated = await endedPeriods(trx, refs);
      // A projection that is being rebuilt knows less than what was said.
      if (stated.some((one) => lastSaid(one).through > position)) throw new NotConsumedYetError();
      const view = await this.#view({ tenant, budgetId }, budget, stated, position, (start) =>
        sums.get(periodKey({ tenant, budgetId, start })),
      );
      await this.#append(
        partition,
        stated.flatMap((one) => sayings(view, one)),
      );
    }
  }

  async #view(
    { tenant, budgetId }: BudgetKey,
    { now, updatedAt }: ProjectedBudget,
    stated: readonly EndedPeriod[],
    through: number,
    sumsOf: (start: EpochNs) => Sums | undefined,
  ): Promise<View> {
    const isChanged = stated.some(({ ended }) => updatedAt >= parseInstant(ended.endedAt));
    const history = isChanged ? await this.ledger.history(tenant, budgetId) : [];
    return {
      tenant,
      budgetId,
      timeZoneData: TIME_ZONE_DATA,
      through,
      now,
      before: (instant) => historyBefore(history, instant) ?? firstOf(history) ?? now,
      sums: (start) => sumsOf(start) ?? NO_SUMS,
    };
  }

  async #append(partition: number, events: readonly Saying[]): Promise<void> {
    if (events.length === 0) return;
    const isNew = await this.ledger.append(partition, events);
    if (isNew.some((each) => !each)) throw new NotConsumedYetError();
    this.watch.said('PeriodRestated', events.length);
  }
}

/** The periods themselves, and those that what they had left may have gone into; none of another calendar. */
const affected = (budget: BudgetThen, late: readonly EndedPeriod[]): readonly Period[] => {
  const definition = budget.definition.period;
  const found = new Map<EpochNs, Period>();
  for (const { ended } of late) {
    const period = periodOf(definition, parseInstant(ended.periodStart));
    if (period === null || formatInstant(period.start) !== ended.periodStart) continue;
    let next: Period | null = period;
    const most = rollsOver(budget.terms) ? MAX_ROLLOVER_PERIODS : 0;
    for (let count = 0; next !== null && count <= most; count += 1) {
      found.set(next.start, next);
      next = periodOffset(definition, next, 1);
    }
  }
  return [...found.values()];
};

const lastSaid = ({ ended, restatements }: EndedPeriod): Figures => restatements.at(-1) ?? ended;

const sayings = (view: View, one: EndedPeriod): readonly Saying[] => {
  const { position, ended, restatements } = one;
  const last = lastSaid(one);
  const { definition } = view.now;
  const period = periodOf(definition.period, parseInstant(ended.periodStart));
  if (period === null || ended.periodEnd !== formatInstant(period.end)) return [];
  const isLast = ended.cause === 'expired' || (definition.validUntil !== null && parseInstant(definition.validUntil) <= period.end);
  const next = isLast ? null : periodOf(definition.period, period.end);
  const data = restate(view, { ended, last, restatements: restatements.length }, period, next);
  if (data === null) return [];
  return [say('PeriodRestated', view.tenant, view.budgetId, restatedId(view.tenant, ended, data.restatement, position), data)];
};
