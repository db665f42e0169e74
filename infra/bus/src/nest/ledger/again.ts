import { setTimeout as delay } from 'node:timers/promises';
import { CheckpointLostError, LeaseLostError } from '@bursar/leases';
import type { Logger } from '../../logger.js';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

export type Again = Readonly<{ what: string; consumer: string; partition: number; logger: Logger; signal: AbortSignal }>;

/**
 * Does it until the signal aborts: again at once when it ends, and ever later when it fails. Returns before that only when the lease is
 * another's by now. Never rejects.
 */
export const again = async ({ what, consumer, partition, logger, signal }: Again, once: () => Promise<void>): Promise<void> => {
  let wait = FIRST_RETRY_MS;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await once();
    } catch (error) {
      if (error instanceof LeaseLostError) return;
      if (performance.now() - startedAt > LAST_RETRY_MS) wait = FIRST_RETRY_MS;
      // Another was faster: the fence did its work, and this one begins again, or loses its lease.
      if (error instanceof CheckpointLostError) logger.info({ consumer, partition, againMs: wait }, 'the checkpoint was taken by another');
      else logger.error({ error, consumer, partition, againMs: wait }, what);
      await delay(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, LAST_RETRY_MS);
    }
  }
};
