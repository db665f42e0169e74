import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../logger.js';

/**
 * Consumes a partition from `after` + 1 until the signal aborts and the batch in hand is done: only then may somebody else begin.
 * Rejects when a handler does.
 */
export type ConsumePartition = (partition: number, after: number, signal: AbortSignal) => Promise<void>;

/**
 * Says which partitions a consumer reads in this process, from which checkpoint, and for how long: calls `consume` for each, several
 * at once, until the signal aborts. Resolves when all are let go. Leases live behind it.
 */
export type PartitionSupply = (consumer: string, consume: ConsumePartition, signal: AbortSignal) => Promise<void>;

export type AllPartitions = Readonly<{
  partitions: number;
  /** The checkpoint; asked for whenever the partition begins, and begins again. */
  startAfter: (consumer: string, partition: number) => Promise<number>;
  logger: Logger;
}>;

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

/** Every partition, as long as the process lives: for consumers of which any number may run. One that fails begins again, ever later. */
export const allPartitions =
  ({ partitions, startAfter, logger }: AllPartitions): PartitionSupply =>
  async (consumer, consume, signal) => {
    const keep = async (partition: number): Promise<void> => {
      let wait = FIRST_RETRY_MS;
      while (!signal.aborted) {
        const startedAt = performance.now();
        try {
          await consume(partition, await startAfter(consumer, partition), signal);
        } catch (error) {
          if (performance.now() - startedAt > LAST_RETRY_MS) wait = FIRST_RETRY_MS;
          logger.error({ error, consumer, partition, againMs: wait }, 'a consumer of the ledger failed');
          await delay(wait, undefined, { signal }).catch(() => undefined);
          wait = Math.min(wait * 2, LAST_RETRY_MS);
        }
      }
    };
    await Promise.all(Array.from({ length: partitions }, (_, partition) => keep(partition)));
  };
