import type { EventOf, LedgerEvent } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { moveCheckpoint, readCheckpoint } from '../adapters/sql/checkpoints.js';
import { saveEnded, saveRestated } from '../adapters/sql/ended-periods.js';
import { keyOf, lockTimers, readTimers, removeTimers, saveTimers } from '../adapters/sql/timers.js';
import { evolveTimer, type Timer, type TimerEvent } from '../domain/timer.js';
import type { Ledger } from './ledger.js';

const TIMER_TYPES = [
  'BudgetCreated',
  'BudgetChanged',
  'BudgetDeleted',
  'BudgetReset',
  'OverrideGranted',
  'OverrideRevoked',
  'OverrideExpired',
  'PeriodEnded',
  'BudgetExpired',
] as const satisfies readonly TimerEvent['type'][];
const MOVES_TIMERS: ReadonlySet<string> = new Set(TIMER_TYPES);
const TYPES: ReadonlySet<string> = new Set([...TIMER_TYPES, 'PeriodRestated']);

/** A checkpoint that nothing hangs on is written so often, at least: what it lags behind is only read once more. */
const IDLE_WRITE_MS = 5_000;

/** Keeps the timers of one partition as its ledger says, each batch in one transaction with its checkpoint. Any number may do so. */
export class PartitionFollower {
  /** Looked at, with everything that hangs on it written. */
  #seen = 0;
  #written = 0;
  #turn: Promise<void> = Promise.resolve();
  #again = new AbortController();
  #writtenAt = performance.now();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly ledger: Ledger,
    private readonly partition: number,
    /** Timers were moved. */
    private readonly moved: () => void,
  ) {}

  /** From the checkpoint until the signal aborts; rejects with what broke it, and `CheckpointMovedError` when another was faster. */
  async run(until: AbortSignal): Promise<void> {
    this.#written = await readCheckpoint(this.db, 'ledger', this.partition);
    this.#seen = this.#written;
    this.#again = new AbortController();
    const signal = AbortSignal.any([until, this.#again.signal]);
    await this.ledger.follow({ partition: this.partition, after: this.#written, signal, types: TYPES }, (events, last) =>
      this.#take(events, last),
    );
  }

  /** Ends the run when the checkpoint was put back behind what it has written: the tables were lost, and are to be made anew. */
  check(checkpoint: number): void {
    if (checkpoint < this.#written) this.#again.abort();
  }

  /**
   * Writes how far it has come, if the checkpoint does not say so yet. Another process may have moved it meanwhile: whatever hangs on
   * positions that were looked at here is written by one of the two, so going on from there is right.
   */
  async flush(): Promise<void> {
    if (this.#seen <= this.#written) return;
    const flush = this.#turn.then(async () => {
      this.#written = Math.max(this.#written, await readCheckpoint(this.db, 'ledger', this.partition));
      await this.#writeNow([], this.#seen);
    });
    this.#turn = flush.catch(() => undefined);
    await flush;
  }

  async #take(events: readonly LedgerEvent[], last: number): Promise<void> {
    if (events.length > 0 || performance.now() - this.#writtenAt >= IDLE_WRITE_MS) await this.#write(events, last);
    this.#seen = last;
    if (events.length > 0) this.moved();
  }

  /** One after the other: a flush may come in between. */
  #write(events: readonly LedgerEvent[], last: number): Promise<void> {
    const write = this.#turn.then(() => this.#writeNow(events, last));
    this.#turn = write.catch(() => undefined);
    return write;
  }

  async #writeNow(events: readonly LedgerEvent[], last: number): Promise<void> {
    const from = this.#written;
    if (last <= from) return;
    await this.db.transaction().execute(async (trx) => {
      // First: it is the lock that keeps two consumers of the partition apart.
      await moveCheckpoint(trx, 'ledger', this.partition, from, last);
      await this.#apply(trx, events);
    });
    this.#written = Math.max(this.#written, last);
    this.#writtenAt = performance.now();
  }

  async #apply(trx: Kysely<Database>, events: readonly LedgerEvent[]): Promise<void> {
    const moving = events.filter(movesTimer);
    if (moving.length > 0) await this.#moveTimers(trx, moving);
    await saveEnded(
      trx,
      this.partition,
      events.filter((event): event is EventOf<'PeriodEnded'> => event.type === 'PeriodEnded'),
    );
    for (const event of events) if (event.type === 'PeriodRestated') await saveRestated(trx, event);
  }

  /** Nearly every end of a period is one that this service has said, and has moved the timer for: those need no lock. */
  async #moveTimers(trx: Kysely<Database>, all: readonly TimerEvent[]): Promise<void> {
    const known = await readTimers(trx, keysOf(all));
    const others = new Set(all.filter(({ type }) => type !== 'PeriodEnded').map((event) => keyOf(toKey(event))));
    const isMoved = (event: TimerEvent): boolean => {
      const key = keyOf(toKey(event));
      const timer = known.get(key);
      return timer !== undefined && !others.has(key) && evolveTimer(timer, event) === timer;
    };
    const events = all.filter((event) => !isMoved(event));
    if (events.length === 0) return;
    const keys = keysOf(events);
    const before = await lockTimers(trx, keys);
    const after = new Map<string, Timer | null>();
    for (const event of events) {
      const key = keyOf(toKey(event));
      const known = after.has(key) ? (after.get(key) ?? null) : (before.get(key) ?? null);
      after.set(key, evolveTimer(known, event));
    }
    const changed = [...after].filter(([key, timer]) => timer !== null && timer !== before.get(key)).flatMap(([, timer]) => timer ?? []);
    await saveTimers(trx, this.partition, changed);
    await removeTimers(
      trx,
      keys.filter((key) => after.get(keyOf(key)) === null && before.has(keyOf(key))),
    );
  }
}

const movesTimer = (event: LedgerEvent): event is TimerEvent => MOVES_TIMERS.has(event.type);
const keysOf = (events: readonly TimerEvent[]) => [...new Map(events.map((event) => [keyOf(toKey(event)), toKey(event)])).values()];
const toKey = ({ meta, data }: TimerEvent) => ({ tenant: meta.tenant, budgetId: data.budgetId });
