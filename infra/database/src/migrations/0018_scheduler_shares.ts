import { type Kysely, sql } from 'kysely';

/**
 * The scheduler's consumer of the ledger shares partitions by leases as all others do (ADR 0028): its checkpoints move to where theirs
 * are. Due timers are found by tenant too, so that nobody waits behind another's million.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    INSERT INTO projection.checkpoint (projection, partition, position, epoch)
    SELECT 'scheduler', partition, position, 0 FROM scheduler.checkpoint WHERE consumer = 'ledger';
    DELETE FROM scheduler.checkpoint WHERE consumer = 'ledger';

    -- How far the late balances of a partition are looked through.
    ALTER TABLE scheduler.checkpoint RENAME TO looked_through;
    ALTER TABLE scheduler.looked_through DROP CONSTRAINT checkpoint_pkey, DROP COLUMN consumer, ADD PRIMARY KEY (partition);

    CREATE INDEX ON scheduler.timer (partition, tenant, due_at) WHERE stuck IS NULL;
  `.execute(db);
};
