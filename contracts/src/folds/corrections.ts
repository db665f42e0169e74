import type { UsageReratedEvent, UsageVoidedEvent } from '../events/usage.js';
import { fromWireMoney, type Money } from '../values/money.js';

/** What was said of a usage event after it. */
export type Correction = Readonly<{
  /** Position of the event that said it. */
  at: number;
  /** What it costs from there on; null: it was voided. */
  cost: Money | null;
  /** Somebody stated the cost, so that no price changes it any more. */
  stated: boolean;
}>;

export type CorrectingEvent = UsageVoidedEvent | UsageReratedEvent;

export const correctionOf = (event: CorrectingEvent): Correction =>
  event.type === 'UsageVoided'
    ? { at: event.position, cost: null, stated: true }
    : { at: event.position, cost: fromWireMoney(event.data.cost), stated: event.data.cause === 'adjustment' };

/** Does a correction still change anything after these? Nothing does after a void, and no price after a cost that somebody stated. */
export const takesEffect = (before: readonly Correction[], next: Pick<Correction, 'stated'>): boolean => {
  const last = before.at(-1);
  return last === undefined || (last.cost !== null && (next.stated || !last.stated));
};

/** Those up to a position that took effect, oldest first, each position once. They may come in any order. */
export const standing = <C extends Correction>(corrections: readonly C[], through: number = Number.POSITIVE_INFINITY): readonly C[] => {
  const kept: C[] = [];
  for (const one of corrections.toSorted((a, b) => a.at - b.at)) {
    if (one.at <= through && one.at !== kept.at(-1)?.at && takesEffect(kept, one)) kept.push(one);
  }
  return kept;
};

/** Was the usage voided by then? */
export const isVoided = (corrections: readonly Correction[], through: number = Number.POSITIVE_INFINITY): boolean =>
  standing(corrections, through).at(-1)?.cost === null;

/** One as its event says it. */
export type MetCorrection = Correction & Readonly<{ recordedAt: string }>;

/** Corrections gathered by the id of their usage, for whoever meets them before it: in a walk from the newest event back. */
export class CorrectionsMet {
  readonly #of = new Map<string, MetCorrection[]>();

  add(event: CorrectingEvent): void {
    const met = { ...correctionOf(event), recordedAt: event.recordedAt };
    const known = this.#of.get(event.data.eventId);
    if (known === undefined) this.#of.set(event.data.eventId, [met]);
    else known.push(met);
  }

  /** Those of a usage event, which is met once: they are forgotten. */
  take(eventId: string): readonly MetCorrection[] {
    const known = this.#of.get(eventId);
    if (known === undefined) return NONE;
    this.#of.delete(eventId);
    return known;
  }
}

const NONE: readonly MetCorrection[] = [];
