import type { AppendNotice } from '@bursar/contracts/bus';

/** So long what says nothing new waits, to be told with what follows. */
const TOGETHER_MS = 25;

type Window = {
  /** Told in it. */
  readonly told: Set<string>;
  /** Heard since it was last told of; null: nothing. */
  waiting: { last: number; readonly types: Set<string> } | null;
};

/**
 * Notices of one moment are told together: at load there are hundreds of appends a second, and each notice wakes every process that follows the
 * partition. The first is told at once, and so is each that tells of a type of events that the moment has not told of yet.
 */
export class Notices {
  readonly #windows = new Map<number, Window>();

  constructor(private readonly tell: (partition: number, notice: AppendNotice) => void) {}

  appended(partition: number, { last, types }: AppendNotice): void {
    const window = this.#windows.get(partition);
    if (window === undefined) {
      this.#begin(partition, types);
      this.tell(partition, { last, types });
      return;
    }
    window.waiting ??= { last, types: new Set() };
    window.waiting.last = Math.max(window.waiting.last, last);
    for (const type of types) window.waiting.types.add(type);
    if (types.some((type) => !window.told.has(type))) this.#say(partition, window);
  }

  #begin(partition: number, types: Iterable<string>): void {
    this.#windows.set(partition, { told: new Set(types), waiting: null });
    setTimeout(() => this.#end(partition), TOGETHER_MS).unref();
  }

  #say(partition: number, window: Window): void {
    if (window.waiting === null) return;
    const { last, types } = window.waiting;
    window.waiting = null;
    for (const type of types) window.told.add(type);
    this.tell(partition, { last, types: [...types] });
  }

  #end(partition: number): void {
    const window = this.#windows.get(partition);
    this.#windows.delete(partition);
    if (window?.waiting == null) return;
    this.#begin(partition, window.waiting.types);
    this.#say(partition, window);
  }
}
