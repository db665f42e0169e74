import type { Charge } from '@bursar/contracts/folds';
import type { LedgerItem } from './ledger.js';

/** An item the main loop has folded, with what it was charged as; null where it was not charged. */
export type Folded = Readonly<{ item: LedgerItem; charged: Charge | null }>;

const NOTHING: readonly Folded[] = [];

/**
 * What the main loop folded lately, for the breakdown beside it: read, decoded and charged once for both. Bounded: when the breakdown
 * falls behind, everything is dropped and it reads the store until it has come up.
 */
export class Handover {
  #items: Folded[] = [];

  constructor(private readonly most: number) {}

  /** In position order. */
  push(folded: Folded): void {
    const last = this.#items.at(-1);
    const follows = last === undefined || last.item.position + 1 === folded.item.position;
    if (!follows || this.#items.length >= this.most) this.#items = [];
    this.#items.push(folded);
  }

  /** Position of the oldest; infinite when there is none. */
  get first(): number {
    return this.#items[0]?.item.position ?? Number.POSITIVE_INFINITY;
  }

  /** Up to `limit` items from `after` + 1 to `through`; none when the next one was dropped, or is not here yet. */
  take(after: number, through: number, limit: number): readonly Folded[] {
    const skipped = after + 1 - this.first;
    if (!(skipped >= 0)) return NOTHING;
    const end = Math.min(through + 1 - this.first, skipped + limit);
    const taken = this.#items.slice(skipped, end);
    this.#items = this.#items.slice(end);
    return taken;
  }
}
