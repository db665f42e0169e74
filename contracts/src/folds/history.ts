/**
 * What something was at every position: the events that made it, in position order, each with the state after it. The same events
 * give the same history in whatever order they come in and however often (a reader that takes stream by stream may fold it).
 */
export class History<E, S> {
  readonly #entries: { position: number; event: E; state: S }[] = [];

  constructor(
    private readonly initial: S,
    private readonly evolve: (state: S, event: E) => S,
  ) {}

  /** False when that position is in already. */
  insert(position: number, event: E): boolean {
    let index = this.#entries.length;
    while (index > 0 && this.#positionOf(index - 1) > position) index -= 1;
    if (index > 0 && this.#positionOf(index - 1) === position) return false;
    this.#entries.splice(index, 0, { position, event, state: this.initial });
    let state = this.#entries[index - 1]?.state ?? this.initial;
    for (const entry of this.#entries.slice(index)) {
      state = this.evolve(state, entry.event);
      entry.state = state;
    }
    return true;
  }

  /** The state once everything at or before the position was folded. */
  at(position: number): S {
    const last = this.#entries.at(-1);
    if (last === undefined) return this.initial;
    if (last.position <= position) return last.state;
    let low = 0;
    let high = this.#entries.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#positionOf(middle) <= position) low = middle + 1;
      else high = middle;
    }
    return this.#entries[low - 1]?.state ?? this.initial;
  }

  get latest(): S {
    return this.#entries.at(-1)?.state ?? this.initial;
  }

  #positionOf(index: number): number {
    return this.#entries[index]?.position ?? Number.NEGATIVE_INFINITY;
  }
}
