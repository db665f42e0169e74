import { setTimeout as delay } from 'node:timers/promises';
import { fairShare } from './fair-share.js';
import type { Lease } from './lease.js';
import type { PartitionLeases } from './partition-leases.js';

/** Renewals in the time of one lease: some may fail or be late without loss. */
const BEATS_PER_LEASE = 6;
/** As often does a replica look that has less than its share: others are just giving something up. */
const LOOKS_PER_LEASE = 20;

/** What was told to end and has not within this will not end any more (RELIABILITY F15) … */
const STUCK_MS = 60_000;
/** … waited for in so many parts, of which a process that was frozen meanwhile has waited one at most. */
const PARTS = 60;

/** What works on one partition for as long as its lease lasts. */
export type LeasedRunner = Readonly<{
  /** Until the signal aborts and what is in hand is done, or until it found out itself that the partition is another's. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** It has begun: the partition is taken over. */
  isTaken: boolean;
}>;

type Owned<R> = Readonly<{ lease: Lease; runner: R; stop: AbortController; done: Promise<void> }>;

/** Told what becomes of the partitions: metrics and logs. */
export type OwnerWatch = Readonly<{
  /** Somebody else has it, or its lease was wiped. */
  lost: (partition: number) => void;
  /** The leases are out of reach; the fences decide what still gets through. */
  trouble: (error: unknown) => void;
  /**
   * What works on it was told to end and does not. Nobody gets the partition then: this process may not take it, and the others leave it
   * its share. Only the end of the process helps.
   */
  stuck: (partition: number) => void;
}>;

/**
 * Takes a fair share of the partitions, gives up what is more than that after a clean commit, and keeps the leases of the rest. A
 * partition is given up only when its runner has ended, and taken again only then.
 */
export class LeasedPartitions<R extends LeasedRunner> {
  readonly #owned = new Map<number, Owned<R>>();
  readonly #leaving = new Set<number>();
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #settled = false;

  constructor(
    private readonly leases: PartitionLeases,
    private readonly partitions: number,
    private readonly makeRunner: (lease: Lease) => R,
    private readonly watch: OwnerWatch,
    private readonly stuckMs = STUCK_MS,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** By owned partition. */
  runners(): ReadonlyMap<number, R> {
    return new Map([...this.#owned].map(([partition, { runner }]) => [partition, runner]));
  }

  /** Of an owned partition; null of any other. */
  leaseOf(partition: number): Lease | null {
    return this.#owned.get(partition)?.lease ?? null;
  }

  /** Of a partition that is owned and is not about to be given up; null of any other. */
  runnerOf(partition: number): R | null {
    return this.#leaving.has(partition) ? null : (this.#owned.get(partition)?.runner ?? null);
  }

  /** What there was to take when this process came is taken over. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Commits what is folded and gives everything up. What cannot be given up runs out by itself. */
  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  async #leave(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.leases.leave().catch((error: unknown) => this.watch.trouble(error));
    await Promise.all([...this.#owned.keys()].map((partition) => this.#giveUp(partition)));
    await this.leases.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { ttlMs } = this.leases;
    while (!signal.aborted) {
      let wait = ttlMs / BEATS_PER_LEASE;
      try {
        if (await this.#beat()) wait = ttlMs / LOOKS_PER_LEASE;
      } catch (error) {
        this.watch.trouble(error);
      }
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Answers whether this replica has less than its share. */
  async #beat(): Promise<boolean> {
    const view = await this.leases.renew([...this.#owned.values()].map(({ lease }) => lease));
    for (const [partition, { lease }] of this.#owned) {
      if (view.kept.has(partition)) lease.renewed(view.liveUntil);
      else this.#lose(partition);
    }
    const share = fairShare(this.partitions, view.replicas, this.leases.replica);
    const staying = [...this.#owned.keys()].filter((partition) => !this.#leaving.has(partition));
    for (const partition of staying.slice(share)) void this.#giveUp(partition);
    const missing = share - staying.length;
    if (missing > 0 && view.free > 0) {
      for (const lease of await this.leases.acquire(missing, [...this.#owned.keys()])) this.#own(lease);
    }
    this.#settled ||= (view.free === 0 || this.#owned.size >= share) && [...this.#owned.values()].every(({ runner }) => runner.isTaken);
    return this.#owned.size - this.#leaving.size < share;
  }

  #own(lease: Lease): void {
    const { partition } = lease;
    const runner = this.makeRunner(lease);
    const stop = new AbortController();
    const done = runner.run(stop.signal).then(() => {
      // Ended by itself: it found out first that the lease is lost.
      if (!stop.signal.aborted) this.#lose(partition);
    });
    this.#owned.set(partition, { lease, runner, stop, done });
  }

  /** Never rejects. */
  async #giveUp(partition: number): Promise<void> {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    const isFirst = !this.#leaving.has(partition);
    this.#leaving.add(partition);
    owned.stop.abort();
    if (isFirst) void this.#expectEnd(owned);
    await owned.done;
    if (!isFirst) return;
    owned.lease.end();
    await this.leases.release(owned.lease).catch((error: unknown) => this.watch.trouble(error));
    this.#forget(partition);
  }

  /** Nothing it still commits can hit the checkpoint; it is let go as soon as it has noticed. */
  #lose(partition: number): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined || this.#leaving.has(partition)) return;
    this.#leaving.add(partition);
    owned.lease.end();
    owned.stop.abort();
    this.watch.lost(partition);
    void this.#expectEnd(owned);
    void owned.done.then(() => this.#forget(partition));
  }

  async #expectEnd({ lease, done }: Owned<R>): Promise<void> {
    const ended = new AbortController();
    void done.then(() => ended.abort());
    for (let part = 0; part < PARTS && !ended.signal.aborted; part += 1) {
      // Cut short by the end that is waited for.
      await delay(this.stuckMs / PARTS, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
    if (!ended.signal.aborted) this.watch.stuck(lease.partition);
  }

  #forget(partition: number): void {
    this.#owned.delete(partition);
    this.#leaving.delete(partition);
  }
}
