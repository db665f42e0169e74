import type { PartitionHead } from '@bursar/event-store';

/** A head that was seen, and when on the monotonic clock (ms). */
type Target = Readonly<{ position: number; seenAt: number }>;

/** Of the partitions that are followed here: how many, events that are ahead, and seconds since the oldest of these is known. */
export type Lag = Readonly<{ partitions: number; events: number; seconds: number }>;

/** How far somebody is behind the store in the partitions it follows. Time is an argument. */
export class Progress {
  readonly #positions = new Map<number, number>();
  readonly #heads = new Map<number, number>();
  /** Of a partition that is behind: the head it has to reach to be no longer as late as it is. */
  readonly #targets = new Map<number, Target>();

  /** Where it stands in a partition, which it follows from the first call on. */
  reached(partition: number, position: number, now: number): void {
    this.#positions.set(partition, position);
    this.#aim(partition, now);
  }

  /** Of all partitions; those of others are noted and count for nothing. */
  heads(heads: readonly Pick<PartitionHead, 'partition' | 'position'>[], now: number): void {
    for (const { partition, position } of heads) {
      this.#heads.set(partition, position);
      this.#aim(partition, now);
    }
  }

  /** Another process may follow it from here on. */
  forget(partition: number): void {
    this.#positions.delete(partition);
    this.#targets.delete(partition);
  }

  lag(now: number): Lag {
    let events = 0;
    for (const [partition, position] of this.#positions) events += Math.max(0, (this.#heads.get(partition) ?? 0) - position);
    const oldest = Math.min(now, ...[...this.#targets.values()].map(({ seenAt }) => seenAt));
    return { partitions: this.#positions.size, events, seconds: (now - oldest) / 1_000 };
  }

  #aim(partition: number, now: number): void {
    const reached = this.#positions.get(partition);
    if (reached === undefined) return;
    const head = this.#heads.get(partition) ?? 0;
    const target = this.#targets.get(partition);
    if (target !== undefined && reached < target.position) return;
    if (reached >= head) this.#targets.delete(partition);
    else this.#targets.set(partition, { position: head, seenAt: now });
  }
}
