import type { Database } from '@bursar/database';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { CommitBatch } from '../../features/batches.js';
import { type Fence, FencedError } from '../../features/projection-tables.js';
import { insertGroups, upsertReserved } from './holds.js';
import { upsertBalances } from './write-balances.js';

/** What nearly every commit writes, and most of them nothing else. */
export type Advanced = Pick<CommitBatch, 'balances' | 'holdGroups' | 'reserved'>;

/**
 * Moves the checkpoint if it is still where we left it and in our epoch, and writes balances and what is held with it, in one statement: a commit that needs
 * no other is one round trip, and reservations wait for it while it holds a core. Hits no checkpoint: writes nothing and throws {@link FencedError}.
 */
export const advance = async (db: Kysely<Database>, fence: Fence, position: number, rows: Advanced): Promise<Fence> => {
  const { rows: hits } = await sql`
    WITH fence AS (
      UPDATE projection.checkpoint SET position = ${position}
      WHERE projection = ${fence.projection} AND partition = ${fence.partition} AND position = ${fence.position} AND epoch = ${fence.epoch}
      RETURNING partition
    )${besides(rows.balances, upsertBalances)}${besides(rows.holdGroups, insertGroups)}${besides(rows.reserved, upsertReserved)}
    SELECT 1 FROM fence`.execute(db);
  if (hits.length !== 1) throw new FencedError(fence);
  return { ...fence, position };
};

/** `write`: parts of the statement, each of which writes only where there is a row of `fence`. */
const besides = <R>(rows: readonly R[], write: (rows: readonly R[]) => RawBuilder<unknown>): RawBuilder<unknown> =>
  rows.length === 0 ? sql`` : sql`, ${write(rows)}`;
