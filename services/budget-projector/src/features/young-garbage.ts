import { getHeapStatistics } from 'node:v8';

/** A third of what node lets gather by itself (ADR 0042). */
const GROWN_BYTES = 12 * 1024 * 1024;

/**
 * Young garbage of the process, collected before node has to: sooner, so that the pauses are short, and when what was decided is on its way to PostgreSQL,
 * so that a part of them costs nobody anything. Needs a process that was started with `--expose-gc`; does nothing in another.
 */
export class YoungGarbage {
  #least = Number.POSITIVE_INFINITY;

  /** `collect`: the young generation; null: there is no way to. `used`: bytes of the heap. */
  constructor(
    private readonly collect: (() => void) | null = exposed(),
    private readonly used: () => number = () => getHeapStatistics().used_heap_size,
  ) {}

  /** If the heap has grown by enough since the last time, or since node left less of it. */
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
