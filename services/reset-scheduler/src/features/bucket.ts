/**
 * How many timers may be taken: so many at once, then so many a second. What is due together past that is spread, in the order in which
 * it is due and never at random (API.md, Periods).
 */
export class Bucket {
  #level: number;
  #at: number;

  /** `now` in ms, of a clock that never goes back. */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    now: number,
  ) {
    this.#level = burst;
    this.#at = now;
  }

  /** Takes up to `most` and answers how many; 0: come back after {@link waitMs}. */
  take(most: number, now: number): number {
    this.#fill(now);
    const taken = Math.min(most, Math.floor(this.#level));
    this.#level -= taken;
    return taken;
  }

  /** Gives back what was not used. */
  giveBack(count: number): void {
    this.#level = Math.min(this.burst, this.#level + count);
  }

  /** Until so many may be taken, or the bucket is as full as it gets. */
  waitMs(count: number, now: number): number {
    this.#fill(now);
    return Math.max(0, Math.ceil(((Math.min(count, this.burst) - this.#level) / this.perSecond) * 1_000));
  }

  #fill(now: number): void {
    this.#level = Math.min(this.burst, this.#level + ((now - this.#at) / 1_000) * this.perSecond);
    this.#at = now;
  }
}
