import type { LedgerEvent } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Insertable, Kysely } from 'kysely';
import { AlertTables, type Effect, OvertakenError, type RecordedAlert, type RecordedBatch } from '../../features/ports.js';

/** How long stream ALERTS keeps messages unless the installation says otherwise: older alerts are not published any more. */
const PUBLISHED_FOR_MS = 30 * 86_400_000;
const NEVER_PUBLISHED = 0;

/** Schema `alerting`. */
export class SqlAlertTables extends AlertTables {
  constructor(private readonly db: Kysely<Database>) {
    super();
  }

  async begin(partition: number, head: number): Promise<Readonly<{ position: number; begunAt: number }>> {
    await this.db
      .insertInto('alerting.checkpoint')
      .values({ partition, position: 0, begun_at: head })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { position, begun_at } = await this.db
      .selectFrom('alerting.checkpoint')
      .select(['position', 'begun_at'])
      .where('partition', '=', partition)
      .executeTakeFirstOrThrow();
    return { position, begunAt: begun_at };
  }

  async record(after: number, batch: RecordedBatch, effects: readonly Effect[]): Promise<void> {
    const { partition, last, events, alerts } = batch;
    await this.db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('alerting.checkpoint')
        .set({ position: last })
        .where('partition', '=', partition)
        .where('position', '=', after)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) throw new OvertakenError(`partition ${partition} is not at ${after} any more`);
      await insertAlerts(trx, alerts);
      await insertAcknowledgements(trx, events);
      for (const effect of effects) await effect.apply(trx, batch);
    });
  }
}

const insertAlerts = async (trx: Kysely<Database>, alerts: readonly RecordedAlert[]): Promise<void> => {
  if (alerts.length === 0) return;
  await trx
    .insertInto('alerting.alert')
    .values(alerts.map(toRow))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

const toRow = ({ tenant, partition, position, revision, raisedAt, data }: RecordedAlert): Insertable<Database['alerting.alert']> => ({
  tenant,
  alert_id: data.alertId,
  partition,
  position,
  revision,
  event: data.event,
  type: data.type,
  severity: data.severity,
  source: data.source,
  budget_id: data.budgetId,
  period_start: data.details.periodStart,
  data: JSON.stringify(data),
  created_at: data.at,
  raised_at: raisedAt,
  published_sequence: Date.now() - Date.parse(raisedAt) > PUBLISHED_FOR_MS ? NEVER_PUBLISHED : null,
});

/** The first one stands. */
const insertAcknowledgements = async (trx: Kysely<Database>, events: readonly LedgerEvent[]): Promise<void> => {
  const rows = events.flatMap((event) =>
    event.type === 'AlertAcknowledged'
      ? [
          {
            tenant: event.meta.tenant,
            alert_id: event.data.alertId,
            by_actor: event.meta.actor ?? null,
            at: event.recordedAt,
            position: event.position,
          },
        ]
      : [],
  );
  if (rows.length === 0) return;
  await trx
    .insertInto('alerting.acknowledgement')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};
