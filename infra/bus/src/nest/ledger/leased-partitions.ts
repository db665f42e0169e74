import { type Lease, LeasedPartitions, type LeasedRunner, type LeaseKey, SqlLeases } from '@bursar/leases';
import { again } from '../../again.js';
import type { Logger } from '../../logger.js';
import type { ConsumePartition, PartitionSupply } from './partition-supply.js';

export type LeasedSupply = Readonly<{
  /** Of the database with the projections' schema: leases in `projection.lease`, by consumer. */
  url: string;
  partitions: number;
  /** How long a partition stays with a process that does not answer any more. Default 3 s. */
  ttlMs?: number;
  /** Takes the partition, so that whoever had it before can commit no more, and answers the checkpoint: `Checkpoints.take`. */
  startAfter: (consumer: string, lease: LeaseKey) => Promise<number>;
  /** Runs beside the consumer while the partition is owned, until the signal aborts: timers, deliveries. Begun again when it ends. */
  beside?: (consumer: string, lease: Lease, signal: AbortSignal) => Promise<void>;
  logger: Logger;
  /** A consumer of this process does not end. Default: ends the process, as `connectBus` does. */
  onGivenUp?: () => void;
}>;

const TTL_MS = 3_000;

/**
 * The partitions shared evenly by all replicas of a consumer: one of them follows a partition at a time, and one that leaves, dies or
 * freezes is replaced within the time of a lease. For safety the checkpoint's compare-and-set counts, not the lease.
 */
export const leasedPartitions =
  ({ url, partitions, ttlMs = TTL_MS, startAfter, beside, logger, onGivenUp = () => process.exit(1) }: LeasedSupply): PartitionSupply =>
  async (consumer, consume, signal) => {
    const runnerOf = (lease: Lease): LeasedRunner => runner(lease, consumer, { startAfter, beside, logger }, consume);
    const owner = new LeasedPartitions(new SqlLeases({ url, consumer, partitions, ttlMs }), partitions, runnerOf, {
      lost: (partition) => logger.warn({ consumer, partition }, 'the lease of a partition was lost'),
      trouble: (error) => logger.warn({ error, consumer }, 'the partition leases are out of reach; asking again'),
      stuck: (partition) => {
        logger.error({ consumer, partition }, 'the consumer of a partition does not end: this process is given up');
        onGivenUp();
      },
    });
    owner.start();
    await aborted(signal);
    await owner.stop();
  };

const runner = (
  lease: Lease,
  consumer: string,
  { startAfter, beside, logger }: Pick<LeasedSupply, 'startAfter' | 'beside' | 'logger'>,
  consume: ConsumePartition,
): LeasedRunner => {
  const { partition } = lease;
  let isTaken = false;
  const run = async (until: AbortSignal): Promise<void> => {
    const ended = new AbortController();
    const signal = AbortSignal.any([until, ended.signal]);
    const follow = again({ what: 'a consumer of the ledger failed', consumer, partition, logger, signal }, async () => {
      const after = await startAfter(consumer, lease.key);
      isTaken = true;
      await consume(partition, after, signal);
    }).finally(() => ended.abort());
    const work = again({ what: 'what runs beside a consumer failed', consumer, partition, logger, signal }, async () =>
      beside === undefined ? aborted(signal) : beside(consumer, lease, signal),
    );
    await Promise.all([follow, work]);
  };
  return {
    run,
    get isTaken() {
      return isTaken;
    },
  };
};

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
};
