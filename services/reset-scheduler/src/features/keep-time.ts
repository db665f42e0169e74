import { setTimeout as delay } from 'node:timers/promises';
import type { EpochNs } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { projectedTo, readCheckpoint } from '../adapters/sql/checkpoints.js';
import { firstDue } from '../adapters/sql/timers.js';
import type { Bucket } from './bucket.js';
import type { CloseDue } from './close-due.js';
import type { Ledger } from './ledger.js';

/** Timers taken in one turn. */
const PER_TURN = 250;
/** Partitions that have a turn at the same time. */
const TOGETHER = 4;
/** Another process may have moved a timer: so often is the first one looked up, at least. One index probe per partition. */
const LOOK_EVERY_MS = 1_000;
const CATCH_UP_MS = 25;
const RETRY_MS = 500;

/** Told what keeps the scheduler from its work. */
export type TimeWatch = Readonly<{ failed: (what: string, error: unknown) => void; overdue: (seconds: number) => void }>;

/**
 * Sleeps until the first timer is due, then gives each partition that has due timers its turns. Before the first of them it reads the
 * head of the ledger, and waits until the timers and the projection have come to it: so the figures said are of a position at or past
 * the head read after the boundary.
 */
export class TimeKeeper {
  readonly #busy = new Map<number, Promise<void>>();
  #wake: (() => void) | null = null;
  #woken = false;
  #turns = 0;

  constructor(
    private readonly db: Kysely<Database>,
    private readonly ledger: Ledger,
    private readonly close: CloseDue,
    private readonly bucket: Bucket,
    /** Makes a partition's follower write how far it has come. */
    private readonly flush: (partition: number) => Promise<void>,
    private readonly watch: TimeWatch,
  ) {}

  /** A timer may be due sooner than it was. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Until the signal aborts, with every turn ended. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.wake();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      const wait = await this.#look(signal).catch((error: unknown) => {
        this.watch.failed('timers', error);
        return RETRY_MS;
      });
      if (!signal.aborted) await this.#sleep(wait);
    }
    await Promise.all(this.#busy.values());
  }

  /** Begins what is due; answers for how long there is nothing to do, in ms. */
  async #look(signal: AbortSignal): Promise<number> {
    const { now, due } = await firstDue(this.db, this.ledger.partitions);
    let wait = LOOK_EVERY_MS;
    let overdue = 0;
    for (const { partition, dueAt } of due) {
      const left = Number((dueAt - now) / 1_000_000n);
      if (dueAt > now) wait = Math.min(wait, left + 1);
      else {
        overdue = Math.max(overdue, -left / 1_000);
        if (!this.#busy.has(partition)) this.#begin(partition, now, signal);
      }
    }
    this.watch.overdue(overdue);
    return wait;
  }

  #begin(partition: number, until: EpochNs, signal: AbortSignal): void {
    const done = this.#closeAll(partition, until, signal)
      .catch(async (error: unknown) => {
        this.watch.failed('closing', error);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      })
      .finally(() => {
        this.#busy.delete(partition);
        this.wake();
      });
    this.#busy.set(partition, done);
  }

  /** Every timer of the partition that is due by the instant, which is past. */
  async #closeAll(partition: number, until: EpochNs, signal: AbortSignal): Promise<void> {
    const head = (await this.ledger.heads()).get(partition) ?? 0;
    await this.#caughtUp(partition, head, signal);
    while (!signal.aborted) {
      const most = await this.#admit(signal);
      if (most === 0) continue;
      let taken = 0;
      try {
        taken = await this.close.turn(partition, until, most);
      } finally {
        this.#turns -= 1;
        this.bucket.giveBack(most - taken);
      }
      if (taken === 0) return;
    }
  }

  async #admit(signal: AbortSignal): Promise<number> {
    if (this.#turns >= TOGETHER) {
      await delay(CATCH_UP_MS, undefined, { signal }).catch(() => undefined);
      return 0;
    }
    const most = this.bucket.take(PER_TURN, performance.now());
    if (most === 0) {
      const wait = this.bucket.waitMs(PER_TURN, performance.now());
      await delay(wait, undefined, { signal }).catch(() => undefined);
      return 0;
    }
    this.#turns += 1;
    return most;
  }

  async #caughtUp(partition: number, head: number, signal: AbortSignal): Promise<void> {
    for (let wait = 0; !signal.aborted; wait = CATCH_UP_MS) {
      if (wait > 0) await delay(wait, undefined, { signal }).catch(() => undefined);
      const [own, projected] = await Promise.all([readCheckpoint(this.db, 'ledger', partition), projectedTo(this.db, partition)]);
      if (own >= head && projected >= head) return;
      if (own < head) await this.flush(partition);
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    this.#woken = false;
    clearTimeout(timer);
  }
}
