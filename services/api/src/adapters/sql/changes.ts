import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { AlertRow } from './alerts.js';
import { ALERT_COLUMNS, alertAcknowledged, JOIN_CROSSING } from './alerts.js';
import type { BudgetRow } from './standings.js';

/** How far the projector and alerting have come in each of these partitions. */
export const progressOf = async (
  db: Kysely<Database>,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Readonly<{ balances: number; alerts: number }>>> => {
  const rows = await db
    .selectFrom('projection.checkpoint')
    .select(['projection', 'partition', 'position'])
    .where('projection', 'in', ['budget', 'alerting'])
    .where('partition', 'in', [...partitions])
    .execute();
  const at = (projection: string, partition: number): number =>
    rows.find((row) => row.projection === projection && row.partition === partition)?.position ?? 0;
  return new Map(partitions.map((partition) => [partition, { balances: at('budget', partition), alerts: at('alerting', partition) }]));
};

/** What is held of each period of the tenant's budgets, by budget and period; what is not there holds nothing. */
export const reservedByPeriod = async (trx: Kysely<Database>, tenant: string): Promise<ReadonlyMap<string, Reserved>> => {
  const rows = await trx.selectFrom('projection.reserved').selectAll().where('tenant', '=', tenant).execute();
  return new Map(rows.map(({ budget_id: budgetId, period_start: start, reserved }) => [`${budgetId} ${start}`, { budgetId, reserved }]));
};
export type Reserved = Readonly<{ budgetId: string; reserved: string }>;

/** Budgets on which something was held, settled, released or expired after a position. Reads all reservations of the tenant, by the groups they were granted in. */
export const budgetsHeldSince = async (trx: Kysely<Database>, tenant: string, after: number): Promise<readonly string[]> => {
  const { rows } = await sql<{ budget_id: string }>`
    SELECT DISTINCT unnest(budget_ids) AS budget_id FROM projection.hold_group WHERE tenant = ${tenant} AND position > ${after}`.execute(
    trx,
  );
  return rows.map(({ budget_id }) => budget_id);
};

/** Budgets whose balance, definition or controls changed after a position, deleted ones too, and those named besides. */
export const changedBudgets = async (
  trx: Kysely<Database>,
  tenant: string,
  after: number,
  besides: readonly string[],
): Promise<readonly BudgetRow[]> => {
  const { rows } = await sql<BudgetRow>`
    SELECT budget.* FROM projection.budget AS budget
    WHERE budget.tenant = ${tenant} AND budget.budget_id IN (
      SELECT unnest(${besides}::text[])
      UNION
      SELECT budget_id FROM projection.balance WHERE tenant = ${tenant} AND position > ${after}
      UNION
      SELECT substring(stream FROM position('.' IN stream) + 1) FROM projection.definition_event
      WHERE projection = 'budget' AND tenant = ${tenant} AND position > ${after} AND (stream LIKE 'budget-%' OR stream LIKE 'balance-%'))`.execute(
    trx,
  );
  return rows;
};

/** Alerts raised, or acknowledged, after a position, oldest first. */
export const changedAlerts = async (
  trx: Kysely<Database>,
  tenant: string,
  after: number,
): Promise<readonly (AlertRow & Readonly<{ scope: string | null }>)[]> => {
  const { rows } = await sql<AlertRow & Readonly<{ scope: string | null }>>`
    SELECT alert.alert_id, alert.data ->> 'scope' AS scope, ${ALERT_COLUMNS}
    FROM alerting.alert AS alert ${JOIN_CROSSING} ${alertAcknowledged(sql`alert.alert_id`, tenant)}
    WHERE alert.tenant = ${tenant} AND (alert.position > ${after} OR alert.alert_id IN (
      SELECT alert_id FROM alerting.acknowledgement WHERE tenant = ${tenant} AND position > ${after}))
    ORDER BY alert.position`.execute(trx);
  return rows;
};
