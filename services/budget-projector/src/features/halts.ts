import { UnknownEventError } from '@bursar/contracts';

/** The projection has folded what the store does not have: a restored or forged store. Never rewound in silence (RELIABILITY F19). */
export class CheckpointAheadOfStoreError extends Error {
  override readonly name = 'CheckpointAheadOfStoreError';
  readonly code = 'CHECKPOINT_AHEAD_OF_STORE';
  constructor(
    readonly partition: number,
    readonly checkpoint: number,
    readonly head: number,
  ) {
    super(`CHECKPOINT_AHEAD_OF_STORE: partition ${partition} is folded to ${checkpoint}, the store ends at ${head}`);
  }
}

/** No retry cures these: the partition stops, and this process is not ready until an operator or a new release acts. */
export const haltsPartition = (error: unknown): error is Error =>
  error instanceof CheckpointAheadOfStoreError || error instanceof UnknownEventError;
