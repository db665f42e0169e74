import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionLocks } from './partition-locks.js';
import type { PartitionRunner, PartitionStatus } from './run-partition.js';

const TICK_MS = 500;
const FIRST_TICKS_MS = 50;
const RETRY_MS = 500;

type Owned = Readonly<{ runner: PartitionRunner; stop: AbortController; done: Promise<void> }>;

/**
 * Takes a fair share of the partitions: ceil(P ÷ members), more never, what others free at the next tick. Loses all of them with the
 * connection that holds the locks.
 */
export class PartitionOwner {
  readonly #owned = new Map<number, Owned>();
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #open = false;
  #settled = false;

  constructor(
    private readonly locks: PartitionLocks,
    private readonly partitions: number,
    private readonly makeRunner: (partition: number) => PartitionRunner,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Of each owned partition. */
  statuses(): ReadonlyMap<number, PartitionStatus> {
    return new Map([...this.#owned].map(([partition, { runner }]) => [partition, runner.status]));
  }

  /** The locks are reachable, and the share there was to take is taken. */
  get settled(): boolean {
    return this.#open && this.#settled;
  }

  /** Commits what is folded, then lets others take over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#releaseAll();
    await this.locks.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!this.#open) await this.#reopen();
        const missing = await this.#tick();
        this.#settled ||= true;
        await delay(missing ? FIRST_TICKS_MS : TICK_MS, undefined, { signal }).catch(() => undefined);
      } catch (error) {
        this.onTrouble(error);
        await this.#releaseAll();
        this.#open = false;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #reopen(): Promise<void> {
    await this.locks.open((error) => {
      this.#open = false;
      for (const { stop } of this.#owned.values()) stop.abort();
      this.onTrouble(error);
    });
    await this.#releaseAll();
    this.#open = true;
  }

  /** Answers whether partitions are missing to the share while this process is new to them. */
  async #tick(): Promise<boolean> {
    const share = Math.ceil(this.partitions / (await this.locks.members()));
    const surplus = [...this.#owned.keys()].slice(share);
    await Promise.all(surplus.map((partition) => this.#release(partition)));
    for (let partition = 0; partition < this.partitions && this.#owned.size < share; partition += 1) {
      if (!this.#owned.has(partition) && (await this.locks.tryLock(partition))) this.#own(partition);
    }
    return this.#owned.size < share;
  }

  #own(partition: number): void {
    const runner = this.makeRunner(partition);
    const stop = new AbortController();
    this.#owned.set(partition, { runner, stop, done: runner.run(stop.signal) });
  }

  async #release(partition: number): Promise<void> {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    owned.stop.abort();
    await owned.done;
    this.#owned.delete(partition);
    if (this.#open) await this.locks.unlock(partition);
  }

  async #releaseAll(): Promise<void> {
    await Promise.all([...this.#owned.keys()].map((partition) => this.#release(partition)));
  }
}
