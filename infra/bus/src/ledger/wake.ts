/** Lets one loop sleep until somebody has news for it, a time is up, or it is told to stop. News while awake is not lost. */
export class Wake {
  #news = false;
  #resume: (() => void) | null = null;

  fire(): void {
    this.#news = true;
    this.#resume?.();
  }

  /** Returns at once when there was news since the last wait. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#news && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          this.#resume = null;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener('abort', done, { once: true });
        this.#resume = done;
      });
    }
    this.#news = false;
  }
}
