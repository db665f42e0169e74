import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { NO_NOTICES, type Notices } from '../../domain/delivery/rate-limit.js';

type Key = Readonly<{ tenant: string; channelId: string; notice: string }>;
type State = Notices & Readonly<{ summaryId: string | null }>;

/** What e-mail and Slack channels have lately said, as far as a batch asks: read once, changed in memory, saved with {@link saveNotices}. */
export class TenantNotices {
  readonly #known = new Map<string, Readonly<{ key: Key; state: State }>>();

  constructor(private readonly trx: Kysely<Database>) {}

  async of(key: Key): Promise<State> {
    const known = this.#known.get(textOf(key));
    if (known !== undefined) return known.state;
    const row = await this.trx
      .selectFrom('alerting.notice')
      .select(['sent', 'summary_id', 'summary_at'])
      .where('tenant', '=', key.tenant)
      .where('channel_id', '=', key.channelId)
      .where('notice', '=', key.notice)
      .executeTakeFirst();
    if (row === undefined) return { ...NO_NOTICES, summaryId: null };
    return { sent: row.sent, summaryAt: row.summary_at === null ? null : Date.parse(row.summary_at), summaryId: row.summary_id };
  }

  set(key: Key, state: State): void {
    this.#known.set(textOf(key), { key, state });
  }

  changed(): readonly Readonly<{ key: Key; state: State }>[] {
    return [...this.#known.values()];
  }
}

const textOf = ({ tenant, channelId, notice }: Key): string => JSON.stringify([tenant, channelId, notice]);

export const saveNotices = async (trx: Kysely<Database>, notices: TenantNotices): Promise<void> => {
  const rows = notices.changed().map(({ key: { tenant, channelId, notice }, state: { sent, summaryAt, summaryId } }) => ({
    tenant,
    channel_id: channelId,
    notice,
    sent: JSON.stringify(sent),
    summary_id: summaryAt === null ? null : summaryId,
    summary_at: summaryAt === null ? null : new Date(summaryAt).toISOString(),
  }));
  for (let from = 0; from < rows.length; from += INSERT_AT_ONCE) {
    await trx
      .insertInto('alerting.notice')
      .values(rows.slice(from, from + INSERT_AT_ONCE))
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'channel_id', 'notice']).doUpdateSet((eb) => ({
          sent: eb.ref('excluded.sent'),
          summary_id: eb.ref('excluded.summary_id'),
          summary_at: eb.ref('excluded.summary_at'),
        })),
      )
      .execute();
  }
};

/** PostgreSQL takes 65,535 parameters in one statement. */
export const INSERT_AT_ONCE = 2_000;
