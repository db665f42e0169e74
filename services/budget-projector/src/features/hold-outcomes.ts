import type { Decision } from '../domain/check/decide-check.js';
import type { Scene, Standing } from '../domain/check/standing.js';
import type { Asked } from '../domain/holds/ask.js';
import type { TermsParts } from '../domain/holds/grant-text.js';
import type { Hold } from '../domain/holds/hold.js';
import type { LeftTexts } from '../domain/holds/left.js';

/**
 * The hold that a reservation id stands for. `left`: of the tightest budget, when it was granted; null where no budget applied. `tightest`: that budget
 * as it stands with this decision; null where none applied, or it applies no more.
 */
export type Held = Readonly<{
  reservationId: string;
  parts: TermsParts;
  left: LeftTexts | null;
  status: Hold['status'];
  position: number;
  tightest: Standing | null;
  /** By this very request: `left` is of `tightest` as it stands. */
  isNew: boolean;
}>;

export type ReserveOutcome =
  | Readonly<{ is: 'held'; held: Held }>
  | Readonly<{ is: 'refused'; decision: Decision; scene: Scene; question: Asked; position: number }>
  /** `deciding`: the nearest budget that has to know the amount; null: none has, the tenant denies it. */
  | Readonly<{ is: 'unpriced'; units: readonly string[]; deciding: Standing | null; scene: Scene; question: Asked; position: number }>
  /** A budget that blocks is still adding up its past. */
  | Readonly<{ is: 'counting' }>
  /** The id stands for another body, or usage has named it already. */
  | Readonly<{ is: 'conflict' }>;

/** `gone`: released or expired before. */
export type ReleaseOutcome = Readonly<{ is: 'released' | 'gone' | 'settled' | 'unknown'; position: number }>;

/** `isFenced`: the ledger took the decision, so it stands whoever owns the partition by now. */
export type Fenced<T> = Readonly<{ outcome: T; isFenced: boolean }>;

/** The append of the group failed, or nobody knows: nothing that was decided in it may be said (ARCHITECTURE, the loop, 3). */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
}

/** The session ended before the request was decided. */
export class NotDecidedError extends Error {
  override readonly name = 'NotDecidedError';
}
