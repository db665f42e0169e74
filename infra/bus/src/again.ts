import { setTimeout as delay } from 'node:timers/promises';
import { CheckpointLostError, LeaseLostError } from '@bursar/leases';
import type { Logger } from './logger.js';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

export type Again = Readonly<{
  /** Said when it fails. */
  what: string;
  consumer: string;
  partition: number;
  logger: Logger;
  signal: AbortSignal;
  /** The longest pause after a failure. Default 30 s. */
  lastRetryMs?: number;
}>;

/**
 * Does it until the signal aborts: again at once when it ends, and ever later when it fails. Returns before that only when the lease is
 * another's by now. Never rejects.
 */
export const again = async (options: Again, once: () => Promise<void>): Promise<void> => {
  const { what, consumer, partition, logger, signal, lastRetryMs = LAST_RETRY_MS } = options;
  let wait = FIRST_RETRY_MS;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await once();
    } catch (error) {
      // What fails because it is told to end is no failure.
      if (error instanceof LeaseLostError || (signal.aborted && isAbort(error))) return;
      if (performance.now() - startedAt > LAST_RETRY_MS) wait = FIRST_RETRY_MS;
      // Another was faster: the fence did its work, and this one begins again, or loses its lease.
      if (error instanceof CheckpointLostError) logger.info({ consumer, partition, againMs: wait }, 'the checkpoint was taken by another');
      else logger.error({ error, consumer, partition, againMs: wait }, what);
      await delay(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, lastRetryMs);
    }
  }
};

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
