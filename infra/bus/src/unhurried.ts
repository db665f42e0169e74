import type { AppendedRange } from '@bursar/event-store';
import { joined } from './joined-ranges.js';

/** So long what nobody waits for waits for more; the relay misses nothing before its second poll of the heads, which is later. */
const TOGETHER_MS = 100;

/**
 * Ranges that nobody elsewhere waits for, until they go out together: each message by itself has the server store it, acknowledge it and wake a follower, and
 * each notice of it wakes all who follow the partition, which costs more than what it says.
 */
export class Unhurried {
  #ranges: AppendedRange[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Of each partition the latest begin of somebody's range on the bus. One that is made up only makes decisions go at once. */
  readonly #heard = new Map<number, number>();

  constructor(private readonly send: (range: AppendedRange) => void) {}

  add(range: AppendedRange): void {
    this.#ranges.push(range);
    if (range.first < (this.#heard.get(range.partition) ?? 0)) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS).unref();
  }

  /** Everything goes now, in order. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ranges = this.#ranges;
    this.#ranges = [];
    for (const range of joined(ranges)) this.send(range);
  }

  /** Somebody's range from there on is on the bus: whoever takes it misses what comes before it. */
  heard(partition: number, first: number): void {
    this.#heard.set(partition, Math.max(first, this.#heard.get(partition) ?? 0));
    if (this.#ranges.some((range) => range.partition === partition && range.first < first)) this.flush();
  }
}
