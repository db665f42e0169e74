import type { EventMeta } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { Publications, type Published, type RecordedAlert } from '../../features/ports.js';

/** `alerting.alert.published_sequence`: NULL until it is on the topics. */
export class SqlPublications extends Publications {
  constructor(
    private readonly db: Kysely<Database>,
    /** How long the stream keeps messages: older alerts are not published again. */
    private readonly keptHours: number,
  ) {
    super();
  }

  async waiting(partition: number, limit: number): Promise<readonly RecordedAlert[]> {
    const rows = await this.db
      .selectFrom('alerting.alert')
      .select(['tenant', 'partition', 'position', 'revision', 'raised_at', 'data', 'meta'])
      .where('partition', '=', partition)
      .where('published_sequence', 'is', null)
      .orderBy('position')
      .limit(limit)
      .execute();
    return rows.map(({ raised_at, meta, ...row }) => ({ ...row, meta: meta as EventMeta, raisedAt: raised_at, isOld: false }));
  }

  async unpublished(): Promise<number> {
    const { count } = await this.db
      .selectFrom('alerting.alert')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('published_sequence', 'is', null)
      .executeTakeFirstOrThrow();
    return count;
  }

  async note(published: readonly Published[]): Promise<void> {
    if (published.length === 0) return;
    await sql`
      UPDATE alerting.alert SET published_sequence = noted.sequence
      FROM unnest(
        ${published.map(({ tenant }) => tenant)}::text[],
        ${published.map(({ alertId }) => alertId)}::uuid[],
        ${published.map(({ sequence }) => sequence)}::bigint[]) AS noted (tenant, alert_id, sequence)
      WHERE alert.tenant = noted.tenant AND alert.alert_id = noted.alert_id`.execute(this.db);
  }

  async lastSequence(): Promise<number> {
    const { last } = await this.db
      .selectFrom('alerting.alert')
      .select(({ fn }) => fn.max('published_sequence').as('last'))
      .executeTakeFirstOrThrow();
    return last ?? 0;
  }

  async stream(): Promise<string | null> {
    const row = await this.db.selectFrom('alerting.published_stream').select('stream_created').executeTakeFirst();
    return row?.stream_created ?? null;
  }

  async lost(stream: string, lastSequence: number): Promise<number> {
    return this.db.transaction().execute(async (trx) => {
      const known = await trx.selectFrom('alerting.published_stream').select('stream_created').forUpdate().executeTakeFirst();
      // Of another stream no place says anything.
      const keeps = known?.stream_created === stream ? lastSequence : 0;
      await trx
        .insertInto('alerting.published_stream')
        .values({ stream_created: stream })
        .onConflict((conflict) => conflict.column('only_row').doUpdateSet({ stream_created: stream }))
        .execute();
      const { numUpdatedRows } = await trx
        .updateTable('alerting.alert')
        .set({ published_sequence: null })
        .where('published_sequence', '>', keeps)
        .where('raised_at', '>', sql<string>`now() - make_interval(hours => ${this.keptHours})`)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    });
  }
}
