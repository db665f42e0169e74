import { setTimeout as delay } from 'node:timers/promises';
import { UnknownEventError } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { CheckpointMovedError, readCheckpoints } from '../adapters/sql/checkpoints.js';
import { forgetWhereLost } from '../adapters/sql/lost-timers.js';
import { PartitionFollower } from './follow-partition.js';
import type { TimeKeeper } from './keep-time.js';
import type { Ledger } from './ledger.js';
import type { RestateLate } from './restate-late.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Another process consumes the partition as well: this one looks again where it is. */
const MOVED_MS = 250;
const RESTATE_EVERY_MS = 1_000;
const LOOK_FOR_LOSS_MS = 3_000;

export type RunWatch = Readonly<{ failed: (what: string, error: unknown) => void; halted: (partition: number, error: Error) => void }>;

/** Everything the scheduler does at once: each partition's ledger, the clock, late balances, and a look whether its tables were lost. */
export class Scheduler {
  readonly #stop = new AbortController();
  readonly #followers: readonly PartitionFollower[];
  readonly #halted = new Map<number, string>();
  readonly #keeper: TimeKeeper;
  readonly #flush = async (partition: number): Promise<void> => this.#followers[partition]?.flush();
  #running: Promise<unknown> | null = null;

  constructor(
    private readonly db: Kysely<Database>,
    ledger: Ledger,
    private readonly parts: Readonly<{ keeper: (flush: (partition: number) => Promise<void>) => TimeKeeper; restater: RestateLate }>,
    private readonly watch: RunWatch,
  ) {
    this.#followers = Array.from(
      { length: ledger.partitions },
      (_, partition) => new PartitionFollower(db, ledger, partition, () => this.#keeper.wake()),
    );
    this.#keeper = parts.keeper(this.#flush);
  }

  /** Partitions that stand still until an operator or a new release acts, with the reason. */
  get halted(): ReadonlyMap<number, string> {
    return this.#halted;
  }

  start(): void {
    const { signal } = this.#stop;
    this.#running ??= Promise.all([
      this.#keeper.run(signal),
      this.#every(RESTATE_EVERY_MS, 'restating', () => this.parts.restater.execute(this.#flush)),
      this.#every(LOOK_FOR_LOSS_MS, 'looking for lost timers', () => this.#lookForLoss()),
      ...this.#followers.map((follower, partition) => this.#follow(follower, partition, signal)),
    ]);
  }

  /** What is begun is ended; nothing is left half done that the next start would not do again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(follower: PartitionFollower, partition: number, signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await follower.run(signal);
        wait = FIRST_RETRY_MS / 2;
      } catch (error) {
        if (error instanceof UnknownEventError) {
          this.#halted.set(partition, error.message);
          this.watch.halted(partition, error);
          return;
        }
        if (error instanceof CheckpointMovedError) wait = MOVED_MS / 2;
        else this.watch.failed('consuming', error);
        await delay(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #lookForLoss(): Promise<void> {
    await forgetWhereLost(this.db);
    const checkpoints = await readCheckpoints(this.db, 'ledger');
    for (const [partition, follower] of this.#followers.entries()) follower.check(checkpoints.get(partition) ?? 0);
  }

  async #every(ms: number, what: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await work().catch((error: unknown) => this.watch.failed(what, error));
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}
