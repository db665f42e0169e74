import { setTimeout as delay } from 'node:timers/promises';
import { UnknownEventError } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Checkpoints, type LeaseKey } from '@bursar/leases';
import type { Kysely } from 'kysely';
import { CONSUMER, readCheckpoints } from '../adapters/sql/checkpoints.js';
import { forgetWhereLost } from '../adapters/sql/lost-timers.js';
import type { CloseDue } from './close-due.js';
import { PartitionFollower } from './follow-partition.js';
import type { TimeKeeper } from './keep-time.js';
import type { Ledger } from './ledger.js';
import type { RestateLate } from './restate-late.js';

const RESTATE_EVERY_MS = 1_000;
const LOOK_FOR_LOSS_MS = 3_000;

export type RunWatch = Readonly<{ failed: (what: string, error: unknown) => void; halted: (partition: number, error: Error) => void }>;

/** Says which partitions are followed here, and for how long: calls `follow` for each until the signal aborts (`leasedPartitions`). */
export type Supply = (
  follow: (partition: number, after: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Everything the scheduler does at once: the ledgers of the partitions that are its own, and of all of them the clock and the late
 * balances, which whoever is free works on; and a look whether its tables were lost.
 */
export class Scheduler {
  readonly #stop = new AbortController();
  readonly #followers: readonly PartitionFollower[];
  readonly #halted = new Map<number, string>();
  readonly #keeper: TimeKeeper;
  readonly #hurry = async (partition: number): Promise<void> => this.#followers[partition]?.hurry();
  #running: Promise<unknown> | null = null;

  constructor(
    private readonly db: Kysely<Database>,
    ledger: Ledger,
    private readonly parts: Readonly<{
      close: CloseDue;
      keeper: (hurry: (partition: number) => Promise<void>) => TimeKeeper;
      restater: RestateLate;
    }>,
    private readonly watch: RunWatch,
  ) {
    const checkpoints = new Checkpoints(db, CONSUMER);
    const hooks = { moved: () => this.#keeper.wake(), settled: (partition: number) => parts.close.settled(partition) };
    this.#followers = Array.from(
      { length: ledger.partitions },
      (_, partition) => new PartitionFollower(checkpoints, ledger, partition, hooks),
    );
    this.#keeper = parts.keeper(this.#hurry);
  }

  /** Partitions that stand still until an operator or a new release acts, with the reason. */
  get halted(): ReadonlyMap<number, string> {
    return this.#halted;
  }

  /** Takes a partition over; answers after which position to follow it. */
  startAfter(lease: LeaseKey): Promise<number> {
    return this.#followerOf(lease.partition).take(lease);
  }

  /** Runs beside the following of a partition. */
  trail(partition: number, signal: AbortSignal): Promise<void> {
    return this.#followerOf(partition).trail(signal);
  }

  start(supply: Supply): void {
    const { signal } = this.#stop;
    this.#running ??= Promise.all([
      this.#keeper.run(signal),
      this.#every(RESTATE_EVERY_MS, 'restating', () => this.parts.restater.execute(this.#hurry)),
      this.#every(LOOK_FOR_LOSS_MS, 'looking for lost timers', () => this.#lookForLoss()),
      supply((partition, after, until) => this.#follow(partition, after, until), signal),
    ]);
  }

  /** What is begun is ended; nothing is left half done that the next start would not do again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(partition: number, after: number, until: AbortSignal): Promise<void> {
    try {
      await this.#followerOf(partition).run(after, until);
      this.#halted.delete(partition);
    } catch (error) {
      if (error instanceof UnknownEventError && !this.#halted.has(partition)) {
        this.#halted.set(partition, error.message);
        this.watch.halted(partition, error);
        // Told when the partition is let go: somebody else's is no trouble of this process.
        until.addEventListener('abort', () => this.#halted.delete(partition), { once: true });
      }
      throw error;
    }
  }

  async #lookForLoss(): Promise<void> {
    // Before the table is read: what is written meanwhile is further on.
    const written = this.#followers.map((follower) => follower.written);
    await forgetWhereLost(this.db);
    const checkpoints = await readCheckpoints(this.db);
    for (const [partition, position] of written.entries()) {
      if (position !== null && (checkpoints.get(partition) ?? 0) < position) this.#followerOf(partition).takeAgain();
    }
  }

  #followerOf(partition: number): PartitionFollower {
    const follower = this.#followers[partition];
    if (follower === undefined) throw new RangeError(`there is no partition ${partition}`);
    return follower;
  }

  async #every(ms: number, what: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await work().catch((error: unknown) => this.watch.failed(what, error));
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}
