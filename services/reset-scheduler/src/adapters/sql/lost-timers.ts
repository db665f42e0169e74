import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { CONSUMER } from './checkpoints.js';

/**
 * The table of timers is empty though there are budgets, and the ledger was consumed: it was lost, so the ledger is consumed anew. Whoever
 * consumes it at the moment can commit no more until it takes the partition again.
 */
export const forgetWhereLost = async (db: Kysely<Database>): Promise<void> => {
  await sql`
    UPDATE projection.checkpoint SET position = 0, epoch = epoch + 1 WHERE projection = ${CONSUMER} AND position > 0
      AND NOT EXISTS (SELECT FROM scheduler.timer) AND EXISTS (SELECT FROM projection.budget WHERE NOT deleted)`.execute(db);
};
