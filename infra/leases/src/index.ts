export { CheckpointLostError, Checkpoints, type Fence, takeCheckpoint } from './checkpoint.js';
export { Lease, type LeaseKey, LeaseLostError } from './lease.js';
export { LeasedPartitions, type LeasedRunner, type OwnerWatch } from './leased-partitions.js';
export { type LeaseView, PartitionLeases } from './partition-leases.js';
export { SqlLeases, type SqlLeasesOptions } from './sql-leases.js';
