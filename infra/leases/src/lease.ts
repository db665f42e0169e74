/** One owner's hold on a partition, as the table names it. Whoever takes it next has the next epoch. */
export type LeaseKey = Readonly<{ partition: number; owner: string; epoch: number }>;

/** The partition belongs to another by now: drop what is in memory and leave it alone. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  constructor(readonly key: LeaseKey) {
    super(`the lease of partition ${key.partition} in epoch ${key.epoch} is another's by now`);
  }
}

/**
 * A partition that this process owns for the time being. Its end is counted on the monotonic clock from before the renewal was sent, so
 * it is over here before the database lets anyone else in, also for a process that slept (SIGSTOP) or waited long for the answer.
 */
export class Lease {
  #over = false;

  constructor(
    readonly key: LeaseKey,
    private liveUntil: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get partition(): number {
    return this.key.partition;
  }

  /** May something be answered from memory alone? What is appended or committed has fences of its own. */
  isLive(): boolean {
    return !this.#over && this.now() < this.liveUntil;
  }

  renewed(liveUntil: number): void {
    this.liveUntil = Math.max(this.liveUntil, liveUntil);
  }

  /** Given up, or lost: never live again. */
  end(): void {
    this.#over = true;
  }
}
