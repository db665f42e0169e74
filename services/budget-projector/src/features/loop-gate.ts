/**
 * Lets those who come go on one at a time, each in a turn of the event loop of its own: however many partitions have something to fold,
 * sockets and timers are looked at between two portions. In the order they came.
 */
export class LoopGate {
  readonly #waiting: (() => void)[] = [];
  #isOpen = true;

  /** Resolves at once when nobody went on in this turn. What is done until the next `await` is what the turn takes. */
  async pass(): Promise<void> {
    if (this.#isOpen) return this.#shut();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  #shut(): void {
    this.#isOpen = false;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isOpen = true;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#shut();
    next();
  }
}
