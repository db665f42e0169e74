/** How long a consumer may be behind without any sign of life: until it is revived, and until it is given up. */
export type Patience = Readonly<{ reviveMs: number; giveUpMs: number }>;

/** RELIABILITY F15. */
export const PATIENCE: Patience = { reviveMs: 10_000, giveUpMs: 60_000 };

export const TICK_MS = 1_000;

/**
 * Tells a consumer that is behind and does nothing from one that is idle, slow, or waits for a store that refuses it. A process that was
 * frozen has not done nothing for so long: between two ticks no more counts than they should be apart. Time is an argument.
 */
export class Watchdog {
  #stuckMs = 0;
  #lastTick: number | null = null;
  #revived = false;

  constructor(private readonly patience: Patience) {}

  /** A batch was read or handled, or the store has at least answered. */
  alive(): void {
    this.#stuckMs = 0;
    this.#revived = false;
  }

  /** What to do; null: nothing. `revive` is said once, until the next sign of life. */
  tick(now: number, isBehind: boolean): 'revive' | 'give up' | null {
    const elapsed = this.#lastTick === null ? 0 : Math.min(now - this.#lastTick, 2 * TICK_MS);
    this.#lastTick = now;
    if (!isBehind) {
      this.alive();
      return null;
    }
    this.#stuckMs += elapsed;
    if (this.#stuckMs >= this.patience.giveUpMs) return 'give up';
    if (this.#revived || this.#stuckMs < this.patience.reviveMs) return null;
    this.#revived = true;
    return 'revive';
  }
}
