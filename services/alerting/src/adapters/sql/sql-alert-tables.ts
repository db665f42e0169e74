import type { LedgerEvent } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Checkpoints, type LeaseKey } from '@bursar/leases';
import type { Insertable, Kysely } from 'kysely';
import { AlertTables, type Effect, type RecordedAlert, type RecordedBatch } from '../../features/ports.js';
import { TrailingRecords } from './trailing-records.js';

/** Too old for the stream to keep: it is read from the table. */
const NEVER_PUBLISHED = 0;

/** The name of its checkpoints in `projection.checkpoint`. */
export const CONSUMER = 'alerting';

/** Schema `alerting`. */
export class SqlAlertTables extends AlertTables {
  readonly #records: TrailingRecords;

  constructor(
    private readonly db: Kysely<Database>,
    options: Readonly<{
      /** How long stream ALERTS keeps messages. */
      keptHours: number;
      effects: readonly Effect[];
      /** Told when something could not be recorded; it is tried again. */
      trouble: (error: unknown) => void;
    }>,
  ) {
    super();
    const { keptHours, effects, trouble } = options;
    this.#records = new TrailingRecords(new Checkpoints(db, CONSUMER), {
      record: async (trx, batch) => {
        await insertAlerts(trx, batch.alerts, Date.now() - keptHours * MS_PER_HOUR);
        await insertAcknowledgements(trx, batch.events);
        for (const effect of effects) await effect.apply(trx, batch);
      },
      committed: (batch) => {
        for (const effect of effects) effect.committed(batch);
      },
      trouble,
    });
  }

  async begin(lease: LeaseKey, head: number): Promise<Readonly<{ position: number; begunAt: number }>> {
    const { partition } = lease;
    await this.db
      .insertInto('alerting.beginning')
      .values({ partition, position: head })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const beginning = await this.db
      .selectFrom('alerting.beginning')
      .select('position')
      .where('partition', '=', partition)
      .executeTakeFirstOrThrow();
    return { position: await this.#records.take(lease), begunAt: beginning.position };
  }

  concerns({ type }: LedgerEvent): boolean {
    return type === 'AlertRaised' || type === 'AlertAcknowledged';
  }

  record(batch: RecordedBatch, signal: AbortSignal): Promise<void> {
    return this.#records.follow(batch, signal);
  }
}

const MS_PER_HOUR = 3_600_000;

/** @param publishAfter epoch ms: alerts raised before are not published */
const insertAlerts = async (trx: Kysely<Database>, alerts: readonly RecordedAlert[], publishAfter: number): Promise<void> => {
  if (alerts.length === 0) return;
  await trx
    .insertInto('alerting.alert')
    .values(alerts.map((alert) => toRow(alert, publishAfter)))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

const toRow = (
  { tenant, partition, position, revision, raisedAt, data, meta }: RecordedAlert,
  publishAfter: number,
): Insertable<Database['alerting.alert']> => ({
  tenant,
  alert_id: data.alertId,
  partition,
  position,
  revision,
  cause_position: data.causePosition,
  event: data.event,
  type: data.type,
  severity: data.severity,
  source: data.source,
  budget_id: data.budgetId,
  period_start: data.details.periodStart,
  data: JSON.stringify(data),
  meta: JSON.stringify(meta),
  created_at: data.at,
  raised_at: raisedAt,
  published_sequence: Date.parse(raisedAt) < publishAfter ? NEVER_PUBLISHED : null,
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
