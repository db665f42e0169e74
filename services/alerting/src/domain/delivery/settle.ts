import { MAX_TRIES, retryDelayMs } from './schedule.js';

/** What a sender says of one attempt. `status`: of the answer, HTTP or SMTP. */
export type SendOutcome = Readonly<{
  outcome: 'delivered' | 'failed' | 'refused' | 'no_answer';
  status: number | null;
  detail: string | null;
  /** Seconds the target asked to be left alone. */
  retryAfterS?: number | null;
}>;

/** What becomes of a delivery after an attempt. */
export type Settled =
  | Readonly<{ status: 'delivered' | 'dead' | 'channel_disabled' }>
  /** Tried again so many milliseconds from now. */
  | Readonly<{ status: 'pending'; delayMs: number }>;

/** Gone for good (RFC 9110): the receiver wants no more of this. */
const GONE = 410;

/** `tries`: how many attempts there were, this one included, since the delivery was begun. */
export const settle = ({ outcome, status, retryAfterS = null }: SendOutcome, tries: number, random: number): Settled => {
  if (outcome === 'delivered') return { status: 'delivered' };
  if (status === GONE) return { status: 'channel_disabled' };
  const delayMs = tries >= MAX_TRIES ? null : retryDelayMs(tries, random, retryAfterS);
  return delayMs === null ? { status: 'dead' } : { status: 'pending', delayMs };
};

/** So many failures in a row open a target's breaker. */
export const FAILURES_TO_OPEN = 10;
/** Nine seconds, give or take one: the next try is within 10 s, and replicas do not try together. */
const OPEN_MS = { mean: 9_000, spread: 1_000 };

/** A target's breaker after an attempt. An open one lets a single attempt through when its time is up: that decides. */
export const afterAttempt = (
  failuresBefore: number,
  wentWell: boolean,
  random: number,
): Readonly<{ failures: number; openMs: number | null }> => {
  if (wentWell) return { failures: 0, openMs: null };
  const failures = failuresBefore + 1;
  return { failures, openMs: failures < FAILURES_TO_OPEN ? null : Math.round(OPEN_MS.mean + OPEN_MS.spread * (2 * random - 1)) };
};

/** How many attempts may be under way at once: two, or one that finds out whether the target is back. */
export const slotsOf = (failures: number): number => (failures >= FAILURES_TO_OPEN ? 1 : 2);
