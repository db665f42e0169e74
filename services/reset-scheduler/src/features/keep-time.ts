import { setTimeout as delay } from 'node:timers/promises';
import type { EpochNs } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { firstDue } from '../adapters/sql/due-timers.js';
import { clockSkew } from '../domain/clock-skew.js';
import type { ClosePartition } from './close-partition.js';

/** Another process may have moved a timer: so often is the first one looked up, at least. One index probe per partition. */
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = 500;
/** Between two looks, at least: where many timers move, each would say so. */
const LOOK_APART_MS = 50;

/** Told what keeps the scheduler from its work. */
export type TimeWatch = Readonly<{
  failed: (what: string, error: unknown) => void;
  overdue: (seconds: number) => void;
  /** How far this machine's clock is ahead of the database's, at least: what the round trip leaves open is taken off. */
  skewed: (seconds: number) => void;
}>;

/** Sleeps until the first timer is due, then lets each partition that has due timers be closed. All by the database's clock. */
export class TimeKeeper {
  readonly #busy = new Map<number, Promise<void>>();
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(
    private readonly db: Kysely<Database>,
    private readonly partitions: number,
    private readonly close: ClosePartition,
    private readonly watch: TimeWatch,
    /** This machine's clock, epoch ms: nothing is decided by it, it is only compared (RELIABILITY F34). */
    private readonly hostClock: () => number,
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
    const asked = this.hostClock();
    const { now, due } = await firstDue(this.db, this.partitions);
    this.watch.skewed(clockSkew(asked, this.hostClock(), now));
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
    const done = this.close
      .execute(partition, until, signal)
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

  async #sleep(ms: number): Promise<void> {
    if (this.#woken) {
      await delay(LOOK_APART_MS);
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
