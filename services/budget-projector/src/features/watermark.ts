type Waiter = Readonly<{ position: number; resolve: () => void }>;

/** How far something has come; others wait for it. */
export class Watermark {
  readonly #waiting = new Set<Waiter>();

  constructor(private value = 0) {}

  get position(): number {
    return this.value;
  }

  advance(position: number): void {
    if (position <= this.value) return;
    this.value = position;
    for (const waiter of this.#waiting) {
      if (waiter.position > position) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Resolves once the position is reached, or the signal aborts. */
  async reached(position: number, signal: AbortSignal): Promise<void> {
    if (position <= this.value || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { position, resolve };
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    this.#waiting.add(waiter);
    await promise;
    // Whoever gave up waits for what may never be.
    this.#waiting.delete(waiter);
    signal.removeEventListener('abort', stop);
  }
}
