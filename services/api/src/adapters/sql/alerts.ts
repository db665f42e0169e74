import type { AlertRaisedData, CrossingData } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, type RawBuilder, sql } from 'kysely';

/** What is known of an alert. A crossing may not be recorded yet: then only `crossing` says what it is. */
export type AlertRow = Readonly<{
  alert_id: string;
  data: AlertRaisedData | null;
  /** Of its AlertRaised. */
  position: number | null;
  revision: number | null;
  suppressed: boolean;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  crossing: CrossingData | null;
  crossed_at: string | null;
  cleared_at: string | null;
}>;

/** In lists of one budget: by what caused it, so that an alert has its place before it is recorded. */
export type BudgetAlertRow = AlertRow & Readonly<{ cause_position: number; cause_index: number }>;
export type CausePlace = Readonly<{ causePosition: number; causeIndex: number }>;

export type AlertFilter = Readonly<{
  budgetId?: string | undefined;
  type?: string | undefined;
  severity?: string | undefined;
  acknowledged?: boolean | undefined;
  /** Raised after this position. */
  after?: number | undefined;
}>;

/** Behind everything that the same event made cross. */
const LAST_INDEX = 1_000_000;

export const ALERT_COLUMNS = sql`
  alert.data, alert.position, alert.revision, coalesce(alert.suppressed, false) AS suppressed,
  acknowledgement.at AS acknowledged_at, acknowledgement.by_actor AS acknowledged_by,
  crossing.data AS crossing, crossing.crossed_at, crossing.cleared_at`;

const JOIN_ALERT = sql`LEFT JOIN alerting.alert AS alert ON alert.tenant = crossing.tenant AND alert.alert_id = crossing.alert_id`;
export const JOIN_CROSSING = sql`
  LEFT JOIN projection.crossing AS crossing
    ON crossing.tenant = alert.tenant AND alert.event = 'threshold.crossed' AND crossing.alert_id = alert.alert_id`;
export const alertAcknowledged = (id: RawBuilder<unknown>, tenant: string) => sql`
  LEFT JOIN alerting.acknowledgement AS acknowledgement ON acknowledgement.tenant = ${tenant} AND acknowledgement.alert_id = ${id}`;

/** Of a budget, newest first. A crossing is there with the balance that crossed it, recorded by alerting or not yet. */
export const budgetAlerts = async (
  trx: Kysely<Database>,
  tenant: string,
  budgetId: string,
  limit: number,
  after: CausePlace | null = null,
): Promise<readonly BudgetAlertRow[]> => {
  const { causePosition, causeIndex } = after ?? { causePosition: Number.MAX_SAFE_INTEGER, causeIndex: 0 };
  const { rows } = await sql<BudgetAlertRow>`
    (SELECT crossing.alert_id, crossing.cause_position, crossing.cause_index, ${ALERT_COLUMNS}
     FROM projection.crossing AS crossing ${JOIN_ALERT} ${alertAcknowledged(sql`crossing.alert_id`, tenant)}
     WHERE crossing.tenant = ${tenant} AND crossing.budget_id = ${budgetId}
       AND (crossing.cause_position, crossing.cause_index) < (${causePosition}::bigint, ${causeIndex}::int)
     ORDER BY crossing.cause_position DESC, crossing.cause_index DESC LIMIT ${limit})
    UNION ALL
    (SELECT alert.alert_id, alert.cause_position, ${LAST_INDEX}::int AS cause_index, ${ALERT_COLUMNS}
     FROM alerting.alert AS alert ${JOIN_CROSSING} ${alertAcknowledged(sql`alert.alert_id`, tenant)}
     WHERE alert.tenant = ${tenant} AND alert.budget_id = ${budgetId} AND alert.event <> 'threshold.crossed'
       AND (alert.cause_position, ${LAST_INDEX}::int) < (${causePosition}::bigint, ${causeIndex}::int)
     ORDER BY alert.cause_position DESC LIMIT ${limit})
    ORDER BY cause_position DESC, cause_index DESC LIMIT ${limit}`.execute(trx);
  return rows;
};

/** Of a tenant, newest first: those recorded, before `place` in the partition. */
export const tenantAlerts = async (
  db: Kysely<Database>,
  tenant: string,
  filter: AlertFilter,
  limit: number,
  place: number | null,
): Promise<readonly AlertRow[]> => {
  const { budgetId, type, severity, after } = filter;
  const { rows } = await sql<AlertRow>`
    SELECT alert.alert_id, ${ALERT_COLUMNS}
    FROM alerting.alert AS alert ${JOIN_CROSSING} ${alertAcknowledged(sql`alert.alert_id`, tenant)}
    WHERE alert.tenant = ${tenant}
      AND alert.position < ${place ?? Number.MAX_SAFE_INTEGER}
      ${after === undefined ? sql`` : sql`AND alert.position > ${after}`}
      ${budgetId === undefined ? sql`` : sql`AND alert.budget_id = ${budgetId}`}
      ${type === undefined ? sql`` : sql`AND alert.type = ${type}`}
      ${severity === undefined ? sql`` : sql`AND alert.severity = ${severity}`}
      ${filter.acknowledged === undefined ? sql`` : sql`AND (acknowledgement.at IS NOT NULL) = ${filter.acknowledged}`}
    ORDER BY alert.position DESC LIMIT ${limit}`.execute(db);
  return rows;
};

/** One, recorded or not yet; undefined: there is none of that id. */
export const findAlert = async (db: Kysely<Database>, tenant: string, alertId: string): Promise<AlertRow | undefined> => {
  if (!UUID.test(alertId)) return undefined;
  const { rows } = await sql<AlertRow>`
    SELECT alert.alert_id, ${ALERT_COLUMNS}
    FROM alerting.alert AS alert ${JOIN_CROSSING} ${alertAcknowledged(sql`alert.alert_id`, tenant)}
    WHERE alert.tenant = ${tenant} AND alert.alert_id = ${alertId}::uuid`.execute(db);
  if (rows[0] !== undefined) return rows[0];
  const { rows: crossings } = await sql<AlertRow>`
    SELECT crossing.alert_id, ${ALERT_COLUMNS}
    FROM projection.crossing AS crossing ${JOIN_ALERT} ${alertAcknowledged(sql`crossing.alert_id`, tenant)}
    WHERE crossing.tenant = ${tenant} AND crossing.alert_id = ${alertId}::uuid`.execute(db);
  return crossings[0];
};

/** Every alert's id is that of an event, or derived as those are. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
