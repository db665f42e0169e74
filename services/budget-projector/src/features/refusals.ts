import type { EpochNs } from '@bursar/contracts';
import type { Question, Standing } from '../domain/check/standing.js';
import type { RefusalCode } from '../domain/check/verdict.js';

/** What a refused reservation was, and why: told by the owner once the answer stands. */
export type Refused = Readonly<{
  tenant: string;
  /** In the answer too. */
  decisionId: string;
  /** The caller's own; null: it named none. */
  reservationId: string | null;
  code: RefusalCode;
  reason: string;
  question: Question;
  /** The budget that refuses, as it stood. */
  standing: Standing;
  /** The position on which it was decided, and when. */
  position: number;
  at: EpochNs;
}>;

/** Told of every refused reservation, behind the answer (PRODUCT C4). Must not throw, and is not waited for. */
export abstract class Refusals {
  abstract refused(refused: Refused): void;
}

/** Nobody records them. */
export class UnrecordedRefusals extends Refusals {
  override refused(): void {}
}
