import type { BufferedRange } from './buffered-range.js';

/** Bytes that all buffers of a process share. */
export type ByteBudget = { used: number; readonly limit: number };

/**
 * Holds ranges that came early, until the position before them has been applied. Ranges come in any order, twice, overlapping or
 * made up; the first to claim a position keeps it until it is taken or cleared. Bounded: what does not fit is read from the store.
 */
export class RangeBuffer {
  readonly #byFirst = new Map<number, BufferedRange>();
  /** When each came. */
  readonly #cameAt = new Map<number, number>();
  #bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly budget: ByteBudget,
  ) {}

  has(first: number): boolean {
    return this.#byFirst.has(first);
  }

  /** First position of the nearest range beyond `after`; Infinity when there is none. */
  firstAfter(after: number): number {
    let nearest = Number.POSITIVE_INFINITY;
    for (const first of this.#byFirst.keys()) if (first > after && first < nearest) nearest = first;
    return nearest;
  }

  /** Since when a range beyond `after` has been here; Infinity when there is none. */
  knownSince(after: number): number {
    let since = Number.POSITIVE_INFINITY;
    for (const [first, cameAt] of this.#cameAt) if (first > after && cameAt < since) since = cameAt;
    return since;
  }

  /** False when there is no room for it. A second range with the same first position is ignored. @param now in milliseconds */
  offer(range: BufferedRange, now: number): boolean {
    if (this.#byFirst.has(range.first)) return true;
    if (this.#bytes + range.bytes > this.maxBytes || this.budget.used + range.bytes > this.budget.limit) return false;
    this.#byFirst.set(range.first, range);
    this.#cameAt.set(range.first, now);
    this.#account(range.bytes);
    return true;
  }

  /** Removes and answers the ranges that follow `after` without a gap: at least one if there is one, then while they fit in `maxEvents`. */
  take(after: number, maxEvents: number): readonly BufferedRange[] {
    const taken: BufferedRange[] = [];
    let last = after;
    for (let next = this.#byFirst.get(last + 1); next !== undefined; next = this.#byFirst.get(last + 1)) {
      if (taken.length > 0 && next.last - after > maxEvents) break;
      this.#remove(next);
      taken.push(next);
      last = next.last;
    }
    return taken;
  }

  /** Forgets what lies at or before `after`, also in part: true where a range had what follows, which comes from the store then. */
  prune(after: number): boolean {
    let hadNext = false;
    for (const range of [...this.#byFirst.values()]) {
      if (range.first > after) continue;
      hadNext ||= range.last > after;
      this.#remove(range);
    }
    return hadNext;
  }

  /** Empties it and says how many ranges that were. */
  clear(): number {
    const count = this.#byFirst.size;
    this.#byFirst.clear();
    this.#cameAt.clear();
    this.#account(-this.#bytes);
    return count;
  }

  #remove(range: BufferedRange): void {
    this.#byFirst.delete(range.first);
    this.#cameAt.delete(range.first);
    this.#account(-range.bytes);
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.budget.used += bytes;
  }
}
