import type { Ask } from '../domain/holds/ask.js';
import type { Undecided } from '../domain/holds/undecided.js';
import type { Fenced, ReleaseOutcome, ReserveOutcome } from './hold-outcomes.js';
import type { OwnChange } from './own-changes.js';

/** A request at the desk, until it is answered. */
export type Waiting = Readonly<{ tenant: string; fail: (error: Error) => void }> &
  (
    | Readonly<{ want: 'reserve'; ask: Ask; done: (fenced: Fenced<ReserveOutcome>) => void }>
    | Readonly<{ want: 'release' | 'expire'; reservationId: string; done: (fenced: Fenced<ReleaseOutcome>) => void }>
  );

const BEFORE = '{"changes":[';

/** An event beyond this would not fit a bus message with others. */
const MAX_BYTES = 192 * 1024;

/** Decisions that share one append of `HoldsChanged`, and are said together once it is in the ledger. */
export class HoldGroup {
  readonly #changes: string[] = [];
  readonly #own: OwnChange[] = [];
  /** By the place of its change. */
  readonly #granted = new Map<number, Undecided>();
  #bytes = 0;
  /** Each says what came of it, once the append is at a position; null: there was nothing to append. */
  readonly #replies: ((appended: number | null) => void)[] = [];
  readonly #failures: ((error: Error) => void)[] = [];

  get isEmpty(): boolean {
    return this.#replies.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes > MAX_BYTES;
  }

  /** Nothing is to be appended. */
  get isUnchanged(): boolean {
    return this.#changes.length === 0;
  }

  /** Its event. What is granted keeps its own text as a part of this one. */
  eventOf(partition: number): string {
    const event = `${BEFORE}${this.#changes.join(',')}],"partition":${partition}}`;
    let start = BEFORE.length;
    for (const [place, { length }] of this.#changes.entries()) {
      this.#granted.get(place)?.grant.keepWithin(event, start);
      start += length + 1;
    }
    return event;
  }

  /** What it does, as the fold takes it. */
  get own(): readonly OwnChange[] {
    return this.#own;
  }

  /** @param text canonical JSON of the change */
  change(text: string, own: OwnChange): void {
    this.#changes.push(text);
    this.#own.push(own);
    this.#bytes += text.length;
  }

  grant(tenant: string, granted: Undecided): void {
    const { reservationId, text } = granted.grant;
    this.#granted.set(this.#changes.length, granted);
    this.change(text, { change: 'granted', tenant, reservationId });
  }

  answer<W extends Waiting>(
    waiting: W,
    outcome: (appended: number | null) => W extends { want: 'reserve' } ? ReserveOutcome : ReleaseOutcome,
  ): void {
    const done = waiting.done as (fenced: Fenced<ReturnType<typeof outcome>>) => void;
    this.#replies.push((appended) => done({ outcome: outcome(appended), isFenced: appended !== null }));
    this.#failures.push(waiting.fail);
  }

  /** Its event is in the ledger: whoever asks for one of its grants again hears of this position too. */
  landed(position: number): void {
    for (const granted of this.#granted.values()) granted.position = position;
  }

  said(appended: number | null): void {
    for (const reply of this.#replies) reply(appended);
  }

  failed(error: Error): void {
    for (const fail of this.#failures) fail(error);
  }
}
