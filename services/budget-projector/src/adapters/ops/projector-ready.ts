import type { PartitionOwner } from '../../features/own-partitions.js';

/** Why this process may not be sent requests; the name is what /readyz shows. */
class NotReadyError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Throws until the share was taken once, and while a partition is failing or halted; names the first, by code where it has one. */
export const projectorReady = (owner: PartitionOwner): void => {
  if (!owner.settled) throw new NotReadyError('taking_partitions', 'partitions are not taken yet');
  for (const [partition, status] of owner.statuses()) {
    if (status.status === 'halted') throw new NotReadyError(`partition ${partition} halted: ${status.reason}`, status.reason);
    if (status.status === 'recovering') throw new NotReadyError(`partition ${partition} ${status.status}`, status.status);
  }
};
