/** How far something has come; others wait for it. */
export class Watermark {
  #waiting: { position: number; resolve: () => void }[] = [];

  constructor(private value = 0) {}

  get position(): number {
    return this.value;
  }

  advance(position: number): void {
    if (position <= this.value) return;
    this.value = position;
    const reached = this.#waiting.filter((waiter) => waiter.position <= position);
    if (reached.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter.position > position);
    for (const { resolve } of reached) resolve();
  }

  /** Resolves once the position is reached, or the signal aborts. */
  async reached(position: number, signal: AbortSignal): Promise<void> {
    if (position <= this.value || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    this.#waiting.push({ position, resolve });
    await promise;
    signal.removeEventListener('abort', stop);
  }
}
