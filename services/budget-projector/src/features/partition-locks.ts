/** Who owns which partition, by locks that die with the process. A lock only saves work: safety is the checkpoint's compare-and-set. */
export abstract class PartitionLocks {
  /** Opens the session that holds the locks. What an earlier session held is gone. */
  abstract open(onLost: (error: Error) => void): Promise<void>;
  abstract tryLock(partition: number): Promise<boolean>;
  abstract unlock(partition: number): Promise<void>;
  /** How many processes take part now, this one included; at least 1. */
  abstract members(): Promise<number>;
  abstract close(): Promise<void>;
}
