/** What an error of the driver or the server means for an append. */
export type Failure =
  /** Rolled back for sure, or never sent, and worth another try at once. */
  | 'transient'
  /** The partition's head is not where this process thought: another process appended. */
  | 'head_moved'
  /** A unique index met an id that was taken to be new. */
  | 'taken'
  /** No answer, or one that says nothing about us: perhaps stored, perhaps not. */
  | 'unavailable'
  /** The server refuses this very input. */
  | 'refused';

/** Five characters with a digit among them; the network's codes (EPIPE, ECONNRESET …) have none, the driver's own errors no code. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;
const TRANSIENT = new Set(['40001', '40P01']);
/** Connection, resources (disk full, too many clients), operator, system and internal errors; time limits; a server gone read-only. */
const UNAVAILABLE = /^(08|53|57|58|XX|55P03|25P0|25006|26000)/;

/** Somebody else held a lock for as long as we wait for one. */
export const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03';

/** The driver's own, without a code: the connection broke while nobody used it, and nothing was sent on it. */
const UNSENT = /is not queryable$/;

export const failureOf = (error: unknown): Failure => {
  if (error instanceof Error && !('code' in error) && UNSENT.test(error.message)) return 'transient';
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return 'unavailable';
  const { code } = error;
  if (code === 'BU001') return 'head_moved';
  // A position that is taken was given by another process: the head has moved.
  if (code === '23505') return 'constraint' in error && error.constraint === 'events_position' ? 'head_moved' : 'taken';
  if (TRANSIENT.has(code)) return 'transient';
  return !SQLSTATE.test(code) || UNAVAILABLE.test(code) ? 'unavailable' : 'refused';
};
