import {
  canonicalJson,
  type EpochNs,
  type HoldReservation,
  type HoldsGranted,
  type HoldTerms,
  holdReservations,
  parseInstant,
  parsePicos,
} from '@bursar/contracts';
import { type HoldFacts, holdFacts } from '@bursar/contracts/folds';

/** What a hold keeps of one budget, in picos of the budget's currency. */
export type HeldAmount = Readonly<{ budgetId: string; picos: bigint }>;

/**
 * On which reservations are granted alike: made or read once, and kept for as long as one of them is open, so what is rarely asked for is
 * kept as text alone.
 */
export class Terms {
  /** What an event says of them with their reservations (contracts `HoldsGranted`); null: not said yet, or not at hand. */
  #granted: string | null = null;
  #text: string | null;

  /** @param text their JSON */
  constructor(
    text: string,
    readonly bodyHash: string,
    readonly facts: HoldFacts,
    readonly amounts: readonly HeldAmount[],
    /** In picos of the hold's own currency. */
    readonly amount: bigint,
    readonly currency: string,
    readonly expiresAt: EpochNs,
    /** Id of the budget with the least room; null: none applied. */
    readonly tightest: string | null,
  ) {
    this.#text = text;
  }

  /** As an event says them with their reservations. Throws where no event that this process made or read did. */
  get granted(): string {
    if (this.#granted === null) throw new Error('terms that no event says yet');
    return this.#granted;
  }

  /**
   * Said by an event, in this part of its text: that is kept from here on. A text that was put together is many objects until somebody reads it whole,
   * and every collection of garbage would copy them.
   */
  saidBy(granted: string): void {
    this.#granted = granted;
    this.#text = null;
  }

  /** What the event says of one of the reservations. Throws where it says nothing of it. */
  reservation(id: string): HoldReservation {
    const found = holdReservations(JSON.parse(this.granted) as HoldsGranted).find((one) => one.id === id);
    if (found === undefined) throw new Error(`the terms' event grants no ${id}`);
    return found;
  }

  /** Their JSON, where no event says them yet. */
  get text(): string {
    if (this.#text === null) throw new Error('terms that an event says');
    return this.#text;
  }

  get wire(): HoldTerms {
    return this.#text === null ? (JSON.parse(this.granted) as HoldsGranted).terms : (JSON.parse(this.#text) as HoldTerms);
  }
}

export const readTerms = (wire: HoldTerms): Terms =>
  new Terms(
    canonicalJson(wire),
    wire.bodyHash,
    holdFacts(wire),
    wire.budgets.map(({ budgetId, amount }) => ({ budgetId, picos: parsePicos(amount) })),
    parsePicos(wire.amount),
    wire.currency,
    parseInstant(wire.expiresAt),
    wire.tightest,
  );
