/** One at a time, in the order they came: who reads a partition's tables into memory must not meet another who does. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    // Whoever comes next waits for the end, whatever it was; the failure is the caller's.
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
