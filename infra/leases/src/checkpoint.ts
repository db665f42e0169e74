import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { type LeaseKey, LeaseLostError } from './lease.js';

/** A consumer's place in a partition as whoever took it last may move it: position and epoch as they are in the table. */
export type Fence = Readonly<{ consumer: string; partition: number; position: number; epoch: number }>;

/** The checkpoint was taken by another since: roll back, drop what is in memory, begin again. Not a fault, and nothing is lost. */
export class CheckpointLostError extends Error {
  override readonly name = 'CheckpointLostError';
  constructor(readonly fence: Fence) {
    super(`the checkpoint of ${fence.consumer} in partition ${fence.partition} is no longer at ${fence.position} in epoch ${fence.epoch}`);
  }
}

/**
 * Reads the checkpoint (0 before the first) and raises its epoch, so that whoever had it before can commit no more. Throws
 * {@link LeaseLostError} when the lease is another's by now.
 */
export const takeCheckpoint = async (db: Kysely<Database>, consumer: string, lease: LeaseKey): Promise<Fence> => {
  const { partition, owner, epoch } = lease;
  // Locked, so that whoever takes the lease over raises the epoch after us, not before.
  const { rows } = await sql<{ position: number; epoch: number }>`
    WITH held AS (
      SELECT partition FROM projection.lease
      WHERE consumer = ${consumer} AND partition = ${partition} AND owner = ${owner} AND epoch = ${epoch} FOR SHARE
    )
    INSERT INTO projection.checkpoint AS checkpoint (projection, partition, position, epoch)
    SELECT ${consumer}, partition, 0, 1 FROM held
    ON CONFLICT (projection, partition) DO UPDATE SET epoch = checkpoint.epoch + 1
    RETURNING position, epoch`.execute(db);
  const [taken] = rows;
  if (taken === undefined) throw new LeaseLostError(lease);
  return { consumer, partition, ...taken };
};

/** Moves a checkpoint within a transaction, and answers the fence for the next time. Throws {@link CheckpointLostError}. */
const advance = async (trx: Kysely<Database>, fence: Fence, position: number): Promise<Fence> => {
  const { numUpdatedRows } = await trx
    .updateTable('projection.checkpoint')
    .set({ position })
    .where('projection', '=', fence.consumer)
    .where('partition', '=', fence.partition)
    .where('position', '=', fence.position)
    .where('epoch', '=', fence.epoch)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new CheckpointLostError(fence);
  return { ...fence, position };
};

/** The checkpoints of one consumer in `projection.checkpoint`, as this process has taken them. */
export class Checkpoints {
  readonly #fences = new Map<number, Fence>();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly consumer: string,
  ) {}

  /** Where to go on. To be called whenever the partition begins, and begins again. Throws {@link LeaseLostError}. */
  async take(lease: LeaseKey): Promise<number> {
    const fence = await takeCheckpoint(this.db, this.consumer, lease);
    this.#fences.set(lease.partition, fence);
    return fence.position;
  }

  /**
   * One transaction: the checkpoint to `last`, which must hit one row, and the effects. Throws {@link CheckpointLostError}, with nothing
   * done, when another has taken the partition; after any failure take it again before the next batch.
   */
  async commit(partition: number, last: number, effects: (trx: Kysely<Database>) => Promise<void>): Promise<void> {
    const fence = this.#fences.get(partition);
    if (fence === undefined) throw new Error(`partition ${partition} of ${this.consumer} was not taken`);
    const next = await this.db.transaction().execute(async (trx) => {
      // The fence first: who has lost the partition reads and writes nothing.
      const moved = await advance(trx, fence, last);
      await effects(trx);
      return moved;
    });
    this.#fences.set(partition, next);
  }
}
