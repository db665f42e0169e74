import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** What is noted of the time zone data in use; `before`: the version until now, null when it is the same or none was noted. */
export type NotedData = Readonly<{ before: string | null }>;

/**
 * Notes which version of the IANA time zone data boundaries are computed with (RELIABILITY F32). Where it is another than before, every
 * timer of a zone with rules is looked at again at once: its boundary may be elsewhere now. Noted last, so that dying on the way does it again.
 */
export const noteTimeZoneData = async (db: Kysely<Database>, version: string, partitions: number): Promise<NotedData> => {
  const last = await db.selectFrom('scheduler.time_zone_data').select('version').orderBy('since', 'desc').limit(1).executeTakeFirst();
  if (last?.version === version) return { before: null };
  if (last !== undefined) for (let partition = 0; partition < partitions; partition += 1) await lookAgain(db, partition);
  await sql`INSERT INTO scheduler.time_zone_data (since, version) VALUES (clock_timestamp(), ${version})`.execute(db);
  return { before: last?.version ?? null };
};

const lookAgain = (db: Kysely<Database>, partition: number): Promise<unknown> =>
  sql`
    UPDATE scheduler.timer SET due_at = now()
    WHERE partition = ${partition} AND due_at > now() AND stuck IS NULL AND rule -> 'period' ->> 'timezone' <> 'UTC'`.execute(db);
