import type { LedgerEvent } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Checkpoints, type LeaseKey } from '@bursar/leases';
import type { Insertable, Kysely } from 'kysely';
import { AlertTables, type Effect, type RecordedAlert, type RecordedBatch } from '../../features/ports.js';
import { TrailingCheckpoints } from './trailing-checkpoints.js';

/** Too old for the stream to keep: it is read from the table. */
const NEVER_PUBLISHED = 0;

/** The name of its checkpoints in `projection.checkpoint`. */
export const CONSUMER = 'alerting';

/** Schema `alerting`. */
export class SqlAlertTables extends AlertTables {
  readonly #checkpoints: TrailingCheckpoints;

  constructor(
    private readonly db: Kysely<Database>,
    /** How long stream ALERTS keeps messages. */
    private readonly keptHours: number,
    /** Told when a checkpoint that follows behind could not be moved; it is tried again. */
    trouble: (error: unknown) => void,
  ) {
    super();
    this.#checkpoints = new TrailingCheckpoints(new Checkpoints(db, CONSUMER), trouble);
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
    return { position: await this.#checkpoints.take(lease), begunAt: beginning.position };
  }

  concerns({ type }: LedgerEvent): boolean {
    return type === 'AlertRaised' || type === 'AlertAcknowledged';
  }

  pass(partition: number, last: number, signal: AbortSignal): void {
    this.#checkpoints.pass(partition, last, signal);
  }

  async record(batch: RecordedBatch, effects: readonly Effect[]): Promise<void> {
    const { partition, last, events, alerts } = batch;
    await this.#checkpoints.commit(partition, last, async (trx) => {
      await insertAlerts(trx, alerts, Date.now() - this.keptHours * MS_PER_HOUR);
      await insertAcknowledgements(trx, events);
      for (const effect of effects) await effect.apply(trx, batch);
    });
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
