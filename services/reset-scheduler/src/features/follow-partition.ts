import { setTimeout as delay } from 'node:timers/promises';
import type { EventOf, LedgerEvent } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { CheckpointLostError, type Checkpoints, type LeaseKey } from '@bursar/leases';
import type { Kysely } from 'kysely';
import { saveEnded, saveRestated } from '../adapters/sql/ended-periods.js';
import { keyOf, lockTimers, removeTimers, saveTimers, timersElsewhere } from '../adapters/sql/timers.js';
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

/** A position that nothing hangs on is written so often: what it lags behind is only read once more. */
const WRITE_MS = 1_000;

export type FollowHooks = Readonly<{
  /** Timers were moved. */
  moved: () => void;
  /** The turn of this process that may have said what comes now is over: its timers are moved, and need not be waited for. */
  settled: (partition: number) => Promise<void>;
}>;

/** Keeps the timers of one partition as its ledger says, each batch in one transaction with its checkpoint. */
export class PartitionFollower {
  /** Looked at, with everything that hangs on it written. */
  #seen = 0;
  #written = 0;
  #turn: Promise<void> = Promise.resolve();
  #isFollowing = false;
  #again = new AbortController();

  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly ledger: Ledger,
    private readonly partition: number,
    private readonly hooks: FollowHooks,
  ) {}

  /** Takes the partition from whoever had it before, and answers after which position to go on. Throws `LeaseLostError`. */
  async take(lease: LeaseKey): Promise<number> {
    await this.#turn;
    this.#written = await this.checkpoints.take(lease);
    this.#seen = this.#written;
    return this.#written;
  }

  /** Until the signal aborts, or it has to be taken again; rejects with what broke it. */
  async run(after: number, until: AbortSignal): Promise<void> {
    this.#again = new AbortController();
    this.#isFollowing = true;
    const signal = AbortSignal.any([until, this.#again.signal]);
    try {
      await this.ledger.follow({ partition: this.partition, after, signal, types: TYPES }, (events, last) => this.#take(events, last));
      // Whoever comes next need not look at it once more.
      await this.flush();
    } finally {
      this.#isFollowing = false;
    }
  }

  /** Beside {@link run}, until the signal aborts: what brought nothing is noted a little later. */
  async trail(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(WRITE_MS, undefined, { signal }).catch(() => undefined);
      await this.flush();
    }
  }

  /** Where the checkpoint is, or further; null while another follows the partition. */
  get written(): number | null {
    return this.#isFollowing ? this.#written : null;
  }

  /** Ends the run, which begins again where the checkpoint is by now. */
  takeAgain(): void {
    this.#again.abort();
  }

  /**
   * Writes how far it has come, if the checkpoint does not say so yet, and has it look at once for what there is beyond: somebody waits.
   * Nothing while another follows the partition.
   */
  async hurry(): Promise<void> {
    if (this.#isFollowing) this.ledger.look(this.partition);
    await this.flush();
  }

  /** Writes how far it has come, if the checkpoint does not say so yet. Nothing while another follows the partition. */
  async flush(): Promise<void> {
    if (!this.#isFollowing || this.#seen <= this.#written) return;
    try {
      await this.#write([], this.#seen);
    } catch (error) {
      if (!(error instanceof CheckpointLostError)) throw error;
      this.takeAgain();
    }
  }

  async #take(events: readonly LedgerEvent[], last: number): Promise<void> {
    if (events.some(({ type }) => type === 'PeriodEnded')) await this.hooks.settled(this.partition);
    if (events.length > 0) await this.#write(events, last);
    this.#seen = last;
    if (events.length > 0) this.hooks.moved();
  }

  /** One after the other: a flush may come in between. */
  #write(events: readonly LedgerEvent[], last: number): Promise<void> {
    const write = this.#turn.then(() => this.#writeNow(events, last));
    this.#turn = write.catch(() => undefined);
    return write;
  }

  async #writeNow(events: readonly LedgerEvent[], last: number): Promise<void> {
    if (last <= this.#written) return;
    await this.checkpoints.commit(this.partition, last, (trx) => this.#apply(trx, events));
    this.#written = last;
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

  /** Nearly every end of a period is one that this service has said, and has moved the timer for: those are not even read. */
  async #moveTimers(trx: Kysely<Database>, all: readonly TimerEvent[]): Promise<void> {
    const others = new Set(all.filter(({ type }) => type !== 'PeriodEnded').map((event) => keyOf(toKey(event))));
    const ends = new Map<string, EventOf<'PeriodEnded'>>();
    for (const event of all) if (event.type === 'PeriodEnded') ends.set(keyOf(toKey(event)), event);
    const alone = [...ends].flatMap(([key, event]) => (others.has(key) ? [] : [{ ...toKey(event), openStart: event.data.periodEnd }]));
    const elsewhere = await timersElsewhere(trx, alone);
    const events = all.filter((event) => others.has(keyOf(toKey(event))) || elsewhere.has(keyOf(toKey(event))));
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
