import { lead } from '@bursar/bus';
import { type AllPartitions, allPartitions, type PartitionSupply } from '@bursar/bus/nest';
import type { Pool } from '@bursar/database';

/** `Alrt`: any number that no other lock of the database uses. */
const LEADER_LOCK = 0x41_6c_72_74;

/**
 * Every partition, in one process at a time; another takes over within about a second of its death, four of its freezing. Two at once
 * would be slow and no more: the checkpoint lets one of them through, and what they raise has the same ids.
 */
export const ledSupply = (pool: Pool, options: AllPartitions): PartitionSupply => {
  const supply = allPartitions(options);
  return (consumer, consume, signal) => lead(pool, LEADER_LOCK, signal, options.logger, (term) => supply(consumer, consume, term.signal));
};
