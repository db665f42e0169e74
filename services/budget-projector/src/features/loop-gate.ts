/**
 * Lets those who come go on one at a time, each in a turn of the event loop of its own: however many partitions have something to fold,
 * sockets and timers are looked at between two portions. In the order they came, and after a turn in which whoever decides goes first: his
 * append is on its way while something is folded.
 */
export class LoopGate {
  readonly #waiting: (() => void)[] = [];
  #isTurning = false;

  /** What is done until the next `await` is what the turn takes. */
  pass(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#isTurning) {
      this.#isTurning = true;
      setImmediate(() => setImmediate(() => this.#next()));
    }
    return promise;
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#isTurning = next !== undefined;
    if (next === undefined) return;
    setImmediate(() => this.#next());
    next();
  }
}
