import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';

type Session = Kysely<Database>;

/** The name of the scheduler's leases, and of its checkpoints in `projection.checkpoint`. */
export const CONSUMER = 'scheduler';
/** That of whoever folds the balances. */
const BALANCES = 'budget';

/** How far the timers of a partition, and its balances, follow its ledger. */
export type Followed = Readonly<{ timers: number; balances: number }>;

export const followedTo = async (db: Session, partition: number): Promise<Followed> => {
  const rows = await db
    .selectFrom('projection.checkpoint')
    .select(['projection', 'position'])
    .where('projection', 'in', [CONSUMER, BALANCES])
    .where('partition', '=', partition)
    .execute();
  const of = (name: string): number => rows.find(({ projection }) => projection === name)?.position ?? 0;
  return { timers: of(CONSUMER), balances: of(BALANCES) };
};

/** The scheduler's own, of every partition that has one. */
export const readCheckpoints = async (db: Session): Promise<ReadonlyMap<number, number>> => {
  const rows = await db.selectFrom('projection.checkpoint').select(['partition', 'position']).where('projection', '=', CONSUMER).execute();
  return new Map(rows.map(({ partition, position }) => [partition, position]));
};
