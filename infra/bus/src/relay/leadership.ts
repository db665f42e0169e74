import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from '@bursar/database';
import type { Logger } from '../logger.js';

const RETRY_MS = 1_000;

/** How long a leader may be silent before the database ends its session, and how often it speaks. */
export type Pulse = Readonly<{ silenceMs: number; everyMs: number }>;
const PULSE: Pulse = { silenceMs: 4_000, everyMs: 1_000 };

export type Term = Readonly<{
  /** The session that holds the lock. What is written through it is written by the leader, or not at all. */
  session: PoolClient;
  /** Aborts when leadership is lost or no longer wanted. */
  signal: AbortSignal;
}>;

/**
 * Runs `reign` in one process at a time, again whenever the lead is won: a session advisory lock of the database. A leader that
 * dies or loses its connection is followed within about a second; one that is frozen (SIGSTOP) keeps its connection, so the database
 * ends the session of a leader that has said nothing for `silenceMs`. Resolves when the signal aborts; never rejects.
 */
export const lead = async (
  pool: Pool,
  key: number,
  signal: AbortSignal,
  logger: Logger,
  reign: (term: Term) => Promise<void>,
  pulse: Pulse = PULSE,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      await tryTerm(pool, key, signal, reign, pulse);
    } catch (error) {
      logger.warn({ error: String(error) }, 'the relay stopped leading; it tries again');
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
};

const tryTerm = async (
  pool: Pool,
  key: number,
  signal: AbortSignal,
  reign: (term: Term) => Promise<void>,
  { silenceMs, everyMs }: Pulse,
): Promise<void> => {
  const session = await pool.connect();
  const lost = new AbortController();
  const onLoss = (error?: Error) => lost.abort(error ?? new Error('the session ended'));
  session.on('error', onLoss);
  session.on('end', onLoss);
  let led = false;
  let beat: NodeJS.Timeout | undefined;
  try {
    const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1::int8) AS locked', [key]);
    led = rows[0]?.locked === true;
    if (!led) return;
    await session.query(`SET idle_session_timeout = ${Math.trunc(silenceMs)}`);
    beat = setInterval(() => void session.query('SELECT 1').catch(onLoss), everyMs);
    await reign({ session, signal: AbortSignal.any([signal, lost.signal]) });
  } finally {
    clearInterval(beat);
    session.off('error', onLoss);
    session.off('end', onLoss);
    // Ending the session gives the lock back whatever state it is in.
    session.release(led || lost.signal.aborted);
  }
};
