import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

type Session = Kysely<Database>;
type Consumer = 'ledger' | 'late';

/** Another process has consumed the partition meanwhile: what this one made of it is dropped. */
export class CheckpointMovedError extends Error {
  override readonly name = 'CheckpointMovedError';
}

export const readCheckpoint = async (db: Session, consumer: Consumer, partition: number): Promise<number> => {
  const row = await db
    .selectFrom('scheduler.checkpoint')
    .select('position')
    .where('consumer', '=', consumer)
    .where('partition', '=', partition)
    .executeTakeFirst();
  return row?.position ?? 0;
};

/** Of every partition that has one. */
export const readCheckpoints = async (db: Session, consumer: Consumer): Promise<ReadonlyMap<number, number>> => {
  const rows = await db.selectFrom('scheduler.checkpoint').select(['partition', 'position']).where('consumer', '=', consumer).execute();
  return new Map(rows.map(({ partition, position }) => [partition, position]));
};

/** Compare-and-set: throws {@link CheckpointMovedError} when it is elsewhere by now. */
export const moveCheckpoint = async (trx: Session, consumer: Consumer, partition: number, from: number, to: number): Promise<void> => {
  const { rows } = await sql`
    INSERT INTO scheduler.checkpoint AS checkpoint (consumer, partition, position)
    SELECT ${consumer}, ${partition}::int, ${to}::bigint WHERE ${from}::bigint = 0
      OR EXISTS (SELECT FROM scheduler.checkpoint WHERE consumer = ${consumer} AND partition = ${partition})
    ON CONFLICT (consumer, partition) DO UPDATE SET position = excluded.position WHERE checkpoint.position = ${from}
    RETURNING 1`.execute(trx);
  if (rows.length === 0) throw new CheckpointMovedError(`${consumer} of partition ${partition} is not at ${from} any more`);
};

/** How far the projector has folded a partition. */
export const projectedTo = async (db: Session, partition: number): Promise<number> => {
  const row = await db
    .selectFrom('projection.checkpoint')
    .select('position')
    .where('projection', '=', 'budget')
    .where('partition', '=', partition)
    .executeTakeFirst();
  return row?.position ?? 0;
};
