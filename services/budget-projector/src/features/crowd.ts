/** Fewer do not wait for one another: their appends cost less than their time. */
const WORTH_WAITING = 16;
/** Of a crowd that was there a moment ago; the last few may be long in coming, or never come. */
const ENOUGH = 0.8;
/** After an append is in, at most. */
const PATIENCE_MS = 4;
/** Of a crowd that no longer comes this is left after each append. */
const FADING = 0.9;
/** Who was there so long before an append is no crowd any more. */
const FORGOTTEN_MS = 50;

/**
 * How many ask at once. Callers who are answered together ask again together, and an append costs PostgreSQL and everybody who follows the ledger as much
 * as tens of decisions: so where a crowd was answered a moment ago, what it asks next waits for most of it. Whoever comes alone waits for nobody.
 */
export class Crowd {
  #size = 0;
  #patientUntil = 0;

  /** An append is in. @param decided with it @param waiting decided meanwhile @param now in milliseconds */
  landed(decided: number, waiting: number, now: number): void {
    const left = now > this.#patientUntil + FORGOTTEN_MS ? 0 : this.#size * FADING;
    this.#size = Math.max(left, decided + waiting);
    this.#patientUntil = now + PATIENCE_MS;
  }

  /** How long so many wait for more, in milliseconds; 0: they go. */
  waitMs(waiting: number, now: number): number {
    const isEnough = this.#size < WORTH_WAITING || waiting >= this.#size * ENOUGH;
    return isEnough ? 0 : Math.max(0, this.#patientUntil - now);
  }
}
