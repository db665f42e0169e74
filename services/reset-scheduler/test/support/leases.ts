import { type Lease, SqlLeases } from '@bursar/leases';
import { sql } from 'kysely';
import { CONSUMER } from '../../src/adapters/sql/checkpoints.js';
import type { FollowHooks } from '../../src/features/follow-partition.js';
import { PARTITIONS, type World } from './world.js';

/** Of a follower beside which no turn is. */
export const ALONE: FollowHooks = { moved: () => undefined, settled: async () => undefined };

const TTL_MS = 600_000;

/** The lease of a partition, for as long as a test takes: whoever had one has lost it, as a process that froze for longer has. */
export const leaseOf = async ({ url, db }: World, partition: number): Promise<Lease> => {
  await sql`UPDATE projection.lease SET expires_at = now() WHERE consumer = ${CONSUMER} AND partition = ${partition}`.execute(db);
  const leases = new SqlLeases({ url, consumer: CONSUMER, partitions: PARTITIONS, ttlMs: TTL_MS });
  try {
    const lease = (await leases.acquire(PARTITIONS, [])).find((one) => one.partition === partition);
    if (lease === undefined) throw new Error(`partition ${partition} is another's`);
    return lease;
  } finally {
    await leases.close();
  }
};
