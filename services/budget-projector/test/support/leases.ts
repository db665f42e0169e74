import type { Database } from '@bursar/database';
import { Lease, type LeaseKey } from '@bursar/leases';
import { type Kysely, sql } from 'kysely';

/** Partition 0, as whoever drives the parts by hand has it. */
export const KEY: LeaseKey = { partition: 0, owner: 'test', epoch: 1 };

export const lastingLease = (key: LeaseKey): Lease => new Lease(key, Number.POSITIVE_INFINITY);

/** Takes the lease away from whoever has it, in the next epoch: what a lease forbids, the fences must bear. */
export const seize = async (db: Kysely<Database>, { partition, owner }: LeaseKey): Promise<LeaseKey> => {
  const { rows } = await sql<{ epoch: number }>`
    INSERT INTO projection.lease AS lease (partition, owner, epoch, expires_at) VALUES (${partition}, ${owner}, 1, 'infinity')
    ON CONFLICT (consumer, partition) DO UPDATE SET owner = excluded.owner, epoch = lease.epoch + 1
    RETURNING epoch`.execute(db);
  return { partition, owner, epoch: rows[0]?.epoch ?? 0 };
};
