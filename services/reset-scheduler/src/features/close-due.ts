import { canonicalJson, type EpochNs } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { StoreOverloadedError, StoreUnavailableError } from '@bursar/event-store';
import { type Kysely, sql } from 'kysely';
import { type Some, type TakenTimer, takeTimers, takeTimersOf } from '../adapters/sql/due-timers.js';
import { saveTurns, type Turn } from '../adapters/sql/timers.js';
import { type PeriodKey, type ProjectedBudget, type ProjectionSnapshot, periodKey, readProjection } from '../adapters/sql/views.js';
import { TIME_ZONE_DATA } from '../adapters/time-zone-data.js';
import { type Fact, nextDue, takeDue } from '../domain/due.js';
import { type Saying, sayFact } from '../domain/say.js';
import { balancesFor, NO_SUMS, type View } from '../domain/view.js';
import { firstOf, historyBefore } from './history.js';
import type { Ledger } from './ledger.js';

/** Facts said of one budget in a turn: one with years of missed periods does not keep the others waiting. */
const FACTS_PER_BUDGET = 50;
/** Facts said in one turn altogether. */
const FACTS_PER_TURN = 1_000;
/** Of one budget where a turn goes round the tenants: nobody's missed years use up the turn of those after him. */
const FACTS_IN_A_ROUND = 4;
/** After so many failures in a row it is given up until an operator retries it. */
const MOST_FAILURES = 3;
const FIRST_RETRY_NS = 1_000_000_000n;
/** What the projection does not show yet is looked at again soon. */
const LOOK_AGAIN_NS = 500_000_000n;
/** A process that is stopped while it has timers locked loses them to another within this. */
const FROZEN_MS = 4_000;

/** Told what was said, and what could not be. */
export abstract class CloseWatch {
  abstract said(type: string, events: number): void;
  abstract failed(tenant: string, budgetId: string, error: unknown, stuck: boolean): void;
}

/** Timers that had their turn: none when none is left that was due by the instant, or of those asked for. `isFull`: more may be due. */
export type Taken = Readonly<{ timers: number; isFull: boolean }>;

type Due = Readonly<{ taken: TakenTimer; facts: readonly Fact[]; after: Turn['timer'] }>;

/**
 * One turn on a partition: takes timers that are due, reads what they need on one snapshot of the projection, appends what the clock has
 * decided and moves the timers, in this order. Dying anywhere in between leaves the timers due, and what was appended already is a
 * duplicate by id when it is said again.
 */
export class CloseDue {
  readonly #running = new Map<number, Promise<void>>();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly ledger: Ledger,
    private readonly watch: CloseWatch,
    /** Connections of their own for what is read while timers are locked: whoever waits for a timer must not hold the last one. */
    private readonly reads: Kysely<Database> = db,
  ) {}

  turn(partition: number, until: EpochNs, most: number, only?: Some): Promise<Taken> {
    const turn = this.#turn(partition, until, most, only);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(partition, ended);
    return turn;
  }

  /** When the turn that this process has on the partition is over, if it has one: what it appended is not moved before that. */
  async settled(partition: number): Promise<void> {
    await this.#running.get(partition);
  }

  #turn(partition: number, until: EpochNs, most: number, only?: Some): Promise<Taken> {
    return this.db.transaction().execute(async (trx) => {
      await sql`SELECT set_config('idle_in_transaction_session_timeout', ${String(FROZEN_MS)}, true)`.execute(trx);
      const taken = await (only === undefined ? takeTimers(trx, partition, until, most) : takeTimersOf(trx, partition, until, most, only));
      if (taken.length === 0) return { timers: 0, isFull: false };
      const due = this.#due(taken, until, only === undefined ? FACTS_PER_BUDGET : FACTS_IN_A_ROUND);
      const snapshot = await readProjection(
        this.reads,
        partition,
        due.map(({ taken: { timer } }) => timer),
        (budgets) => due.flatMap((one, index) => neededBalances(one, budgets[index] ?? null)),
      );
      const turns = await Promise.all(due.map((one, index) => this.#say(partition, one, snapshot, index, until)));
      await saveTurns(trx, turns);
      return { timers: due.length, isFull: taken.length === most };
    });
  }

  #due(taken: readonly TakenTimer[], until: EpochNs, each: number): readonly Due[] {
    const due: Due[] = [];
    let left = FACTS_PER_TURN;
    for (const one of taken) {
      if (left <= 0) break;
      const { facts, timer } = takeDue(one.timer, until, each);
      due.push({ taken: one, facts, after: timer });
      left -= Math.max(1, facts.length);
    }
    return due;
  }

  async #say(partition: number, due: Due, snapshot: ProjectionSnapshot, index: number, until: EpochNs): Promise<Turn> {
    const { timer, failures } = due.taken;
    try {
      const budget = snapshot.budgets[index] ?? null;
      // Deleted, or its calendar changed, a moment ago: the ledger will say so here too.
      if (budget === null || !isSameCalendar(timer, budget)) return turnOf(due, { timer, failures, dueAt: until + LOOK_AGAIN_NS });
      const view = await this.#view(due, budget, snapshot);
      const sayings = due.facts.flatMap((fact) => sayFact(timer, fact, view));
      await this.#append(partition, sayings);
      const next = nextDue(due.after);
      // Its turn comes after those of all that are due now.
      return turnOf(due, { timer: due.after, failures: 0, dueAt: next !== null && next <= until ? until + 1_000n : next });
    } catch (error) {
      if (isOutage(error)) throw error;
      return this.#failed(due, until, error);
    }
  }

  async #view({ taken: { timer }, facts }: Due, budget: ProjectedBudget, { position, sums }: ProjectionSnapshot): Promise<View> {
    const { tenant, budgetId } = timer;
    const first = facts[0]?.at;
    const isUnchanged = first === undefined || budget.updatedAt < first;
    const history = isUnchanged ? [] : await this.ledger.history(tenant, budgetId);
    return {
      tenant,
      budgetId,
      timeZoneData: TIME_ZONE_DATA,
      through: position,
      now: budget.now,
      before: (instant) => historyBefore(history, instant) ?? firstOf(history) ?? budget.now,
      sums: (start) => sums.get(periodKey({ tenant, budgetId, start })) ?? NO_SUMS,
    };
  }

  async #append(partition: number, sayings: readonly Saying[]): Promise<void> {
    const isNew = await this.ledger.append(partition, sayings);
    for (const [index, { type }] of sayings.entries()) if (isNew[index] === true) this.watch.said(type, 1);
  }

  #failed(due: Due, until: EpochNs, error: unknown): Turn {
    const { timer, failures } = due.taken;
    const isStuck = failures >= MOST_FAILURES;
    this.watch.failed(timer.tenant, timer.budgetId, error, isStuck);
    const stuck = isStuck ? (error instanceof Error ? `${error.name}: ${error.message}` : String(error)) : null;
    return turnOf(due, { timer, failures: failures + 1, dueAt: until + (FIRST_RETRY_NS << BigInt(failures)), stuck });
  }
}

const turnOf = ({ taken }: Due, turn: Omit<Turn, 'isRuled' | 'stuck'> & { stuck?: string | null }): Turn => ({
  stuck: null,
  ...turn,
  isRuled: turn.timer.rule !== taken.timer.rule,
});

const neededBalances = ({ taken: { timer }, facts }: Due, budget: ProjectedBudget | null): readonly PeriodKey[] => {
  if (budget === null) return [];
  const { tenant, budgetId } = timer;
  const starts = new Set(
    facts.flatMap((fact) => (fact.fact === 'period_ended' ? balancesFor(budget.now, fact.period).map(({ start }) => start) : [])),
  );
  return [...starts].map((start) => ({ tenant, budgetId, start }));
};

const isSameCalendar = ({ rule }: Turn['timer'], { now }: ProjectedBudget): boolean =>
  isSameText(rule.period, now.definition.period) || canonicalJson(rule.period) === canonicalJson(now.definition.period);

/** Both come from a jsonb column, which keeps keys in one order. */
const isSameText = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Of the store or the database: everything waits, and nobody is to blame. */
const isOutage = (error: unknown): boolean => error instanceof StoreUnavailableError || error instanceof StoreOverloadedError;
