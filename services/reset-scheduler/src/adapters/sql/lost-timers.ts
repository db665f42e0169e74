import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** The table of timers is empty though there are budgets, and the ledger was consumed: it was lost, so the ledger is consumed anew. */
export const forgetWhereLost = async (db: Kysely<Database>): Promise<void> => {
  await sql`
    DELETE FROM scheduler.checkpoint WHERE consumer = 'ledger'
      AND NOT EXISTS (SELECT FROM scheduler.timer) AND EXISTS (SELECT FROM projection.budget WHERE NOT deleted)`.execute(db);
};
