/** Events per second from which on commits are `longestMs` apart. */
const BUSY = 5_000;
/** Below this rate every step is committed at once. */
const CALM = 300;

/**
 * When the next commit may start: at once at low load, up to `longestMs` after the last one at high load. A changed row costs the
 * database as much as an appended event (PERFORMANCE §4), so at load rows are worth collecting; at rest nobody should wait.
 */
export class Pace {
  #startedAt = Number.NEGATIVE_INFINITY;
  #rate = 0;

  constructor(
    private readonly longestMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  waitMs(): number {
    const busy = (this.#rate - CALM) / (BUSY - CALM);
    const pause = this.longestMs * Math.min(1, Math.max(0, busy));
    return this.#startedAt + pause - this.now();
  }

  /** A commit of so many events starts now. */
  committing(events: number): void {
    const now = this.now();
    const elapsed = Math.max(1, now - this.#startedAt);
    // Half of the new, half of the old: a burst is noticed within two commits, and forgotten as fast.
    this.#rate = elapsed > 1_000 ? (events * 1_000) / elapsed : (this.#rate + (events * 1_000) / elapsed) / 2;
    this.#startedAt = now;
  }
}
