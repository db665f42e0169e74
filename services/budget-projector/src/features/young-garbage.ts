import { getHeapStatistics } from 'node:v8';

/** A third of what node lets gather by itself (ADR 0042). */
const GROWN_BYTES = 12 * 1024 * 1024;

/**
 * Young garbage, collected before node has to, at a moment when nobody waits for this thread: while PostgreSQL writes an append. node by itself stops for
 * longer, in the midst of decisions. Needs a process that was started with `--expose-gc`; does nothing in another.
 */
export class YoungGarbage {
  #least = Number.POSITIVE_INFINITY;

  /** @param collect the young generation; null: there is no way to @param used bytes of the heap */
  constructor(
    private readonly collect: (() => void) | null = exposed(),
    private readonly used: () => number = () => getHeapStatistics().used_heap_size,
  ) {}

  /** If enough has gathered since the last time, or since node did it. */
  collectIfGrown(): void {
    if (this.collect === null) return;
    const used = this.used();
    this.#least = Math.min(this.#least, used);
    if (used - this.#least < GROWN_BYTES) return;
    this.collect();
    this.#least = this.used();
  }
}

const exposed = (): (() => void) | null => {
  const { gc } = globalThis;
  return gc === undefined ? null : () => gc({ type: 'minor' });
};
