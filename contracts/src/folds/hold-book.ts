import type { HoldFacts } from './hold-facts.js';

type Known = Readonly<{ since: number; facts: HoldFacts }>;

/** Twice as many are kept at most: far more than one page of usage names. */
const GENERATION = 10_000;

/**
 * Grants by reservation id, as far as somebody has told it. Whoever charges usage that names reservations tells it those first and then
 * charges at once: older ones are forgotten. A reservation that it does not know was never granted, as far as the charge goes.
 */
export class HoldBook {
  #recent = new Map<string, Known>();
  #older = new Map<string, Known>();

  /** @param since position of the grant */
  know(reservationId: string, since: number, facts: HoldFacts): void {
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(reservationId, { since, facts });
  }

  /** What usage at the position settles, if that was granted before it. */
  of(reservationId: string, position: number): HoldFacts | null {
    const known = this.#recent.get(reservationId) ?? this.#older.get(reservationId);
    return known === undefined || known.since >= position ? null : known.facts;
  }
}
