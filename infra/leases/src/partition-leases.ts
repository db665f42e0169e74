import type { Lease } from './lease.js';

/** What a replica sees when it has renewed its leases. */
export type LeaseView = Readonly<{
  /** Partitions whose lease is renewed; the others were taken by somebody. */
  kept: ReadonlySet<number>;
  /** On this process's monotonic clock: counted from before the renewal was sent. */
  liveUntil: number;
  /** How many partitions each live replica holds, this one included. */
  replicas: ReadonlyMap<string, number>;
  /** Partitions that nobody holds. */
  free: number;
}>;

/** Who owns which partition, for how long: one table, by the clock of its database. Faults of the database surface as they are. */
export abstract class PartitionLeases {
  /** This process's name among the replicas, never used before. */
  abstract readonly replica: string;
  abstract readonly ttlMs: number;

  /** Says that this replica lives, and renews what it holds. */
  abstract renew(held: readonly Lease[]): Promise<LeaseView>;

  /** Takes up to `limit` partitions that nobody holds, none of `except`. */
  abstract acquire(limit: number, except: readonly number[]): Promise<readonly Lease[]>;

  /** Where the owner of a partition is asked, by the database's clock; null: nobody owns it, or nobody knows where that one listens. */
  abstract urlOfOwner(partition: number): Promise<string | null>;

  /** Others may take it at once. Says nothing of a lease that is lost. */
  abstract release(lease: Lease): Promise<void>;

  /** Takes part no more: the others share what is left among them. */
  abstract leave(): Promise<void>;

  abstract close(): Promise<void>;
}
