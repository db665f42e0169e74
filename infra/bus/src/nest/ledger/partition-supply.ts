import { again } from '../../again.js';
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

/** Every partition, as long as the process lives: for consumers of which any number may run. One that fails begins again, ever later. */
export const allPartitions =
  ({ partitions, startAfter, logger }: AllPartitions): PartitionSupply =>
  async (consumer, consume, signal) => {
    const keep = (partition: number): Promise<void> =>
      again({ what: 'a consumer of the ledger failed', consumer, partition, logger, signal }, async () =>
        consume(partition, await startAfter(consumer, partition), signal),
      );
    await Promise.all(Array.from({ length: partitions }, (_, partition) => keep(partition)));
  };
