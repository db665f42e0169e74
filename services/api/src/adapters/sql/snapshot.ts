import { type EpochNs, formatInstant, parseInstant } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** What one moment of the projections looks like. */
export type Moment = Readonly<{
  /** The database's clock. */
  now: EpochNs;
  /** The projector's checkpoint in the tenant's partition: the tables are exactly the fold of 1..position. */
  position: number;
  partition: number;
}>;

/** Runs reads on one snapshot: definition, balance and thresholds of a status belong to the same position (ARCHITECTURE, Consistency). */
export const onSnapshot = async <T>(
  db: Kysely<Database>,
  partition: number,
  work: (trx: Kysely<Database>, moment: Moment) => Promise<T>,
): Promise<T> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const { rows } = await sql<{ now: string; position: number | null }>`
        SELECT now() AS now,
          (SELECT position FROM projection.checkpoint WHERE projection = 'budget' AND partition = ${partition}) AS position`.execute(trx);
      const [row] = rows;
      return work(trx, { now: parseInstant(row?.now ?? formatInstant(0n)), position: row?.position ?? 0, partition });
    });

/** `<partition>:<position>`, as answered in `Bursar-Position` and `position`. */
export const positionText = (partition: number, position: number): string => `${partition}:${position}`;
