/** A seeded generator (mulberry32): the same choices in the same order. One for each thing that chooses, so that they do not mix. */
export class Random {
  #state: number;

  constructor(seed: number, what: string) {
    this.#state = Array.from(what).reduce((state, letter) => Math.imul(state ^ letter.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5);
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Both included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.next() * items.length)];
  }
}
