/** Rounds of work, one at the start and one whenever there was a kick: those that come during a round make one more. */
export class KickedLoop {
  #kicked = true;
  #wake: (() => void) | null = null;

  constructor(private readonly round: (signal: AbortSignal) => Promise<void>) {}

  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** Until the signal aborts. Rejects when a round does. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake?.();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#kicked) {
          this.#kicked = false;
          await this.round(signal);
          continue;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        this.#wake = null;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
