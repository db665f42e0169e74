/** Milliseconds before the first restart; the process must be back within 2 s (OPERATIONS). */
export const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;
/** Ready for this long, a child counts as healthy and its next crash as its first. */
const HEALTHY_AFTER_MS = 5_000;

/** How long to wait before a restart: doubles from the first delay to 30 s, starts over once the child was ready for 5 s. */
export class Backoff {
  #next = FIRST_DELAY_MS;

  /** `readyForMs`: how long the child that just ended had been ready; 0 when it never was. */
  delayAfter(readyForMs: number): number {
    if (readyForMs >= HEALTHY_AFTER_MS) this.#next = FIRST_DELAY_MS;
    const delay = this.#next;
    this.#next = Math.min(delay * 2, LONGEST_DELAY_MS);
    return delay;
  }
}
