/** Fewer do not wait for one another: their appends cost less than their time. */
const WORTH_WAITING = 16;
/** Of a crowd; the last few may be long in coming, or never come. */
const ENOUGH = 0.9;
/** After an append is in, at most. */
const PATIENCE_MS = 12;
/** A crowd comes at least so many times as fast after an append is in as while one is on its way. */
const FASTER = 2;
/** From a crowd to the next trial; from one trial to the next twice as long each time, and no longer than. */
const TRIAL_MS = { first: 20, longest: 1_000 };

/**
 * Whether those who ask are a crowd: the same callers, who are answered together and then ask again together. An append costs PostgreSQL and everybody who follows
 * the ledger as much as tens of decisions, so a crowd's next asks wait for most of it. Callers who come by themselves gain nothing by that: however long their
 * appends wait, as many come later. The two are told apart by when they come. Of a crowd nobody is left to ask while its append is on its way; of the others
 * as many come then as ever. Halves of a crowd that take turns look like the others; a trial now and then waits for the other half too, and shows which it is.
 */
export class Crowd {
  #size = 0;
  #decided = 0;
  #waiting = 0;
  /** Between the last append that was in and the next: who asked, of so many who were answered, in such a time. */
  #gathered = { callers: 0, answered: 0, ms: 0 };
  #leftAt = 0;
  #landedAt = 0;
  #isAwaited = false;
  #trial = { at: 0, everyMs: TRIAL_MS.first };

  /** An append goes on its way. @param callers decided with it @param now in milliseconds */
  leaves(callers: number, now: number): void {
    this.#gathered = { callers: callers - this.#waiting, answered: this.#decided, ms: now - this.#landedAt };
    this.#decided = callers;
    this.#leftAt = now;
  }

  /** It is in. @param waiting decided meanwhile @param now in milliseconds */
  landed(waiting: number, now: number): void {
    const { callers, answered, ms } = this.#gathered;
    // Who comes after the patience is over gains nothing by being waited for.
    const isCrowd = ms < PATIENCE_MS && callers > answered / 2 && callers * (now - this.#leftAt) > FASTER * waiting * ms;
    this.#size = this.#decided + waiting;
    this.#waiting = waiting;
    this.#landedAt = now;
    // Where most are there already, the few who were answered are not worth the wait.
    const isWorthIt = this.#size >= WORTH_WAITING && this.#decided >= waiting / 2;
    this.#isAwaited = isWorthIt && (isCrowd || now >= this.#trial.at);
    if (!this.#isAwaited) return;
    const everyMs = isCrowd ? TRIAL_MS.first : Math.min(TRIAL_MS.longest, 2 * this.#trial.everyMs);
    this.#trial = { at: now + everyMs, everyMs };
  }

  /** So many were answered without an append, for they changed nothing: those of them who waited when the last one was in are not to be waited for. */
  unchanged(callers: number): void {
    const waited = Math.min(this.#waiting, callers);
    this.#waiting -= waited;
    this.#size -= waited;
  }

  /** How long so many wait for more, in milliseconds; 0: they go. */
  waitMs(waiting: number, now: number): number {
    const isEnough = !this.#isAwaited || waiting >= this.#size * ENOUGH;
    return isEnough ? 0 : Math.max(0, this.#landedAt + PATIENCE_MS - now);
  }
}
