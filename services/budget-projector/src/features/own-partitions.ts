import { LeasedPartitions } from '@bursar/leases';
import type { Decisions } from './decisions.js';
import type { PartitionRunner, PartitionStatus } from './run-partition.js';

/** The partitions that this process folds and decides for. */
export class PartitionOwner extends LeasedPartitions<PartitionRunner> {
  /** Of each owned partition. */
  statuses(): ReadonlyMap<number, PartitionStatus> {
    return new Map([...this.runners()].map(([partition, { status }]) => [partition, status]));
  }

  /** Of an owned partition that is fit to decide; null of any other. */
  decisionsOf(partition: number): Decisions | null {
    return this.runnerOf(partition)?.decisions ?? null;
  }
}
