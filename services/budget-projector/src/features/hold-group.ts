import type { Ask } from '../domain/holds/ask.js';
import type { Ended } from '../domain/holds/fold-holds.js';
import { grantedText } from '../domain/holds/grant-text.js';
import type { Grant } from '../domain/holds/hold.js';
import type { LeftTexts } from '../domain/holds/left.js';
import type { Terms } from '../domain/holds/terms.js';
import type { Undecided } from '../domain/holds/undecided.js';
import type { Fenced, ReleaseOutcome, ReserveOutcome } from './hold-outcomes.js';
import type { OwnChange } from './own-changes.js';

/** A request at the desk, until it is answered. */
export type Waiting = Readonly<{ tenant: string; fail: (error: Error) => void }> &
  (
    | Readonly<{ want: 'reserve'; ask: Ask; done: (fenced: Fenced<ReserveOutcome>) => void }>
    | Readonly<{ want: 'release' | 'expire'; reservationId: string; done: (fenced: Fenced<ReleaseOutcome>) => void }>
  );

/** Whoever asked, and what he is to be told. */
type Reply = Readonly<{
  done: (fenced: Fenced<ReserveOutcome | ReleaseOutcome>) => void;
  fail: (error: Error) => void;
  outcome: (appended: number | null) => ReserveOutcome | ReleaseOutcome;
}>;

const BEFORE = '{"changes":[';

/** An event beyond this would not fit a bus message with others. */
const MAX_BYTES = 192 * 1024;
/** Around each id: quotes and a comma. */
const ID_BYTES = 3;
/** Around the terms of an entry: names, tenant and amounts. */
const ENTRY_BYTES = 200;

/** What is granted to one tenant on the same terms, one right after another. */
class Run {
  readonly grants: Grant[] = [];
  readonly #ids: string[] = [];

  constructor(
    readonly tenant: string,
    readonly terms: Terms,
    /** With the first: each next leaves the terms' amount less. */
    private readonly left: LeftTexts | null,
  ) {}

  add(grant: Grant): void {
    this.grants.push(grant);
    this.#ids.push(grant.reservationId);
  }

  get text(): string {
    return grantedText(this.tenant, this.terms.text, this.#ids, this.left);
  }
}

/** Decisions that share one append of `HoldsChanged`, and are said together once it is in the ledger. */
export class HoldGroup {
  /** Of each change its text, or what is granted alike. */
  readonly #changes: (string | Run)[] = [];
  readonly #own: OwnChange[] = [];
  readonly #granted: Undecided[] = [];
  #bytes = 0;
  #callers = 0;
  readonly #replies: Reply[] = [];

  get isEmpty(): boolean {
    return this.#replies.length === 0;
  }

  /** How many callers are answered with it: what expires was asked for by nobody. */
  get callers(): number {
    return this.#callers;
  }

  get isFull(): boolean {
    return this.#bytes > MAX_BYTES;
  }

  /** Nothing is to be appended. */
  get isUnchanged(): boolean {
    return this.#changes.length === 0;
  }

  /** Its event. The terms keep what it says of them as a part of its text. */
  eventOf(partition: number): string {
    const texts = this.#changes.map((change) => (typeof change === 'string' ? change : change.text));
    const event = `${BEFORE}${texts.join(',')}],"partition":${partition}}`;
    let start = BEFORE.length;
    for (const [place, { length }] of texts.entries()) {
      const change = this.#changes[place];
      if (change instanceof Run) change.terms.saidBy(event.slice(start, start + length));
      start += length + 1;
    }
    return event;
  }

  /** What it does, as the fold takes it. */
  get own(): readonly OwnChange[] {
    return this.#own;
  }

  /** @param text canonical JSON of the change */
  end(text: string, own: Ended): void {
    this.#changes.push(text);
    this.#own.push(own);
    this.#bytes += text.length;
  }

  /** On terms that are only this group's, and of what is granted on them one right after another, by subtraction. */
  grant(tenant: string, granted: Undecided, left: LeftTexts | null): void {
    const { grant } = granted;
    this.#runOn(tenant, grant.terms, left).add(grant);
    this.#granted.push(granted);
    this.#bytes += grant.reservationId.length + ID_BYTES;
  }

  #runOn(tenant: string, terms: Terms, left: LeftTexts | null): Run {
    const last = this.#changes.at(-1);
    if (last instanceof Run && last.terms === terms) return last;
    const run = new Run(tenant, terms, left);
    this.#changes.push(run);
    this.#own.push({ change: 'granted', tenant, grants: run.grants });
    this.#bytes += terms.text.length + ENTRY_BYTES;
    return run;
  }

  /** `outcome`: what came of it, once the append is at a position; null: there was nothing to append. */
  answer<W extends Waiting>(
    { done, fail, want }: W,
    outcome: (appended: number | null) => W extends { want: 'reserve' } ? ReserveOutcome : ReleaseOutcome,
  ): void {
    this.#replies.push({ done, fail, outcome } as Reply);
    if (want !== 'expire') this.#callers += 1;
  }

  /** Its event is in the ledger: whoever asks for one of its grants again hears of this position too. */
  landed(position: number): void {
    for (const granted of this.#granted) granted.position = position;
  }

  said(appended: number | null): void {
    const isFenced = appended !== null;
    for (const { done, outcome } of this.#replies) done({ outcome: outcome(appended), isFenced });
  }

  failed(error: Error): void {
    for (const { fail } of this.#replies) fail(error);
  }
}
