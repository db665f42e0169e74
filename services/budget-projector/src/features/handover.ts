import { type Charge, completesPrices } from '@bursar/contracts/folds';
import { isCorrection, isUnreadable, type LedgerItem } from './ledger.js';

/**
 * What the main loop has folded at a position, with what it was charged as; null where it was not charged. `item` is null for what the
 * breakdown has no use for.
 */
export type Folded = Readonly<{ position: number; item: LedgerItem | null; charged: Charge | null }>;

/** What the handovers of a process together hold, apart from mere positions. */
export type HandoverRoom = { used: number; readonly limit: number };

const NOTHING: readonly Folded[] = [];

/**
 * What the main loop folded lately, for the breakdown beside it: read, decoded and charged once for both. Bounded: when the breakdown
 * falls behind, everything is dropped and it reads the store until it has come up.
 */
export class Handover {
  #items: Folded[] = [];
  #held = 0;

  constructor(
    private readonly most: number,
    private readonly room: HandoverRoom,
  ) {}

  /** In position order. */
  push(item: LedgerItem, charged: Charge | null): void {
    const { position } = item;
    const last = this.#items.at(-1);
    const follows = last === undefined || last.position + 1 === position;
    const isHeld = breaksDown(item);
    if (!follows || this.#items.length >= this.most || (isHeld && this.room.used >= this.room.limit)) this.clear();
    this.#items.push(isHeld ? { position, item, charged } : { position, item: null, charged: null });
    if (isHeld) this.#account(1);
  }

  /** Position of the oldest; infinite when there is none. */
  get first(): number {
    return this.#items[0]?.position ?? Number.POSITIVE_INFINITY;
  }

  /** Up to `limit` items from `after` + 1 to `through`; none when the next one was dropped, or is not here yet. */
  take(after: number, through: number, limit: number): readonly Folded[] {
    const skipped = after + 1 - this.first;
    if (!(skipped >= 0)) return NOTHING;
    const end = Math.min(through + 1 - this.first, skipped + limit);
    const gone = this.#items.slice(0, end);
    this.#items = this.#items.slice(end);
    this.#account(-gone.filter(({ item }) => item !== null).length);
    return gone.slice(skipped);
  }

  /** Drops everything: the store has it. */
  clear(): void {
    this.#items = [];
    this.#account(-this.#held);
  }

  #account(items: number): void {
    this.#held += items;
    this.room.used += items;
  }
}

const breaksDown = (item: LedgerItem): boolean =>
  !isUnreadable(item) && (item.type === 'UsageRecorded' || isCorrection(item) || completesPrices(item));
