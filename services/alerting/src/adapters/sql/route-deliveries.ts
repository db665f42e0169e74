import { approximateSeconds, derivedId, type LedgerEvent, readDuration, type StoredChannel } from '@bursar/contracts';
import type { Database, DeliveryTable } from '@bursar/database';
import { type Insertable, type Kysely, sql } from 'kysely';
import { decideNotice, type NoticeLimit, noticeOf } from '../../domain/delivery/rate-limit.js';
import { isUnconfigured, type Route, routeAlert } from '../../domain/delivery/route.js';
import { Effect, type RecordedAlert, type RecordedBatch } from '../../features/ports.js';
import { INSERT_AT_ONCE, saveNotices, TenantNotices } from './notices.js';
import { changesRouting, loadRouting, saveRouting, type TenantRouting } from './tenant-routing.js';

type Row = Insertable<DeliveryTable>;

/**
 * Decides in the transaction that records an alert where it goes: a row per channel, under an id that alert and channel give it. Events
 * are taken in the ledger's order, so that an alert goes to the channels there were at its position, whoever decides it.
 */
export class RouteDeliveries extends Effect {
  constructor(
    private readonly options: Readonly<{
      /** Channels for tenants that have none of the type. */
      lent: (routing: TenantRouting) => readonly StoredChannel[];
      wake: () => void;
    }>,
  ) {
    super();
  }

  async apply(trx: Kysely<Database>, { events, alerts }: RecordedBatch): Promise<void> {
    await recallSuppressed(trx, alerts);
    const fresh = new Map(alerts.filter(({ isOld }) => !isOld).map((alert) => [alert.position, alert]));
    const relevant = events.filter((event) => changesRouting(event) || fresh.has(event.position));
    if (relevant.length === 0) return;
    const tenants = await loadRouting(trx, [...new Set(relevant.map(({ meta }) => meta.tenant))]);
    const notices = new TenantNotices(trx);
    const rows: Row[] = [];
    for (const event of relevant) {
      const routing = tenants.get(event.meta.tenant);
      if (routing === undefined) throw new Error(`the routing of a tenant was not loaded: ${event.meta.tenant}`);
      routing.apply(event);
      const alert = fresh.get(event.position);
      if (alert !== undefined) rows.push(...(await this.#route(alert, routing, notices)));
    }
    await saveRouting(trx, tenants.values());
    await saveNotices(trx, notices);
    await insertDeliveries(trx, rows);
  }

  override concerns(event: LedgerEvent): boolean {
    return changesRouting(event);
  }

  override committed({ alerts }: RecordedBatch): void {
    if (alerts.length > 0) this.options.wake();
  }

  async #route(alert: RecordedAlert, routing: TenantRouting, notices: TenantNotices): Promise<readonly Row[]> {
    const { alertWindow } = routing.preferences;
    const channels = [...routing.channels(), ...this.options.lent(routing)];
    const rows: Row[] = [];
    for (const route of routeAlert(alert.data, channels, routing.preferences)) {
      const limit = limitOf(route, channels, alertWindow);
      rows.push(...(limit === null ? [toRow(alert, route)] : await decideRow(alert, route, limit, notices)));
    }
    return rows;
  }
}

/** null: this channel carries every alert. */
const limitOf = ({ channelId, type }: Route, channels: readonly StoredChannel[], alertWindow: string): NoticeLimit | null => {
  if ((type !== 'email' && type !== 'slack') || isUnconfigured(channelId)) return null;
  const { rateLimit } = channels.find((channel) => channel.channelId === channelId) ?? {};
  return { max: rateLimit?.max ?? 1, windowMs: windowMs(rateLimit?.per ?? alertWindow) };
};

const windowMs = (text: string): number => {
  const parts = readDuration(text);
  if (parts === null) throw new RangeError(`a stored window is no duration: ${text}`);
  return Math.round(approximateSeconds(parts) * 1_000);
};

const decideRow = async (alert: RecordedAlert, route: Route, limit: NoticeLimit, notices: TenantNotices): Promise<readonly Row[]> => {
  const key = { tenant: alert.tenant, channelId: route.channelId, notice: noticeOf(alert.data) };
  const state = await notices.of(key);
  const { send, notices: next, beginsSummary } = decideNotice(state, Date.parse(alert.raisedAt), limit);
  const summaryId = beginsSummary ? derivedId('summary', alert.tenant, route.channelId, alert.data.alertId) : state.summaryId;
  notices.set(key, { ...next, summaryId });
  const row = toRow(alert, route);
  if (send) return [row];
  const heldBack: Row = { ...row, status: 'suppressed', due_at: null, summary_id: summaryId };
  if (!beginsSummary || summaryId === null || next.summaryAt === null) return [heldBack];
  return [heldBack, { ...row, delivery_id: summaryId, kind: 'summary', due_at: new Date(next.summaryAt).toISOString() }];
};

const toRow = ({ tenant, position, raisedAt, data: { alertId } }: RecordedAlert, { channelId, type, name }: Route): Row => ({
  delivery_id: derivedId('delivery', tenant, alertId, channelId),
  tenant,
  alert_id: alertId,
  position,
  channel_id: channelId,
  channel_type: type,
  channel_name: name,
  kind: 'alert',
  status: 'pending',
  due_at: raisedAt,
  created_at: raisedAt,
});

const insertDeliveries = async (trx: Kysely<Database>, rows: readonly Row[]): Promise<void> => {
  for (let from = 0; from < rows.length; from += INSERT_AT_ONCE) {
    await trx
      .insertInto('alerting.delivery')
      .values(rows.slice(from, from + INSERT_AT_ONCE))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await markSuppressed(trx, rows);
  await wakeTargets(trx, rows);
};

const markSuppressed = async (trx: Kysely<Database>, rows: readonly Row[]): Promise<void> => {
  const heldBack = rows.filter(({ status }) => status === 'suppressed');
  for (const [tenant, ofTenant] of Map.groupBy(heldBack, ({ tenant }) => tenant)) {
    const ids = [...new Set(ofTenant.map(({ alert_id }) => alert_id))];
    await trx.updateTable('alerting.alert').set({ suppressed: true }).where('tenant', '=', tenant).where('alert_id', 'in', ids).execute();
  }
};

/** Alerts that come back from the ledger: what was held back of them is on record here. */
const recallSuppressed = async (trx: Kysely<Database>, alerts: readonly RecordedAlert[]): Promise<void> => {
  const ids = alerts.filter(({ isOld }) => isOld).map(({ data }) => data.alertId);
  if (ids.length === 0) return;
  await sql`
    UPDATE alerting.alert SET suppressed = true FROM alerting.delivery
    WHERE delivery.tenant = alert.tenant AND delivery.alert_id = alert.alert_id AND delivery.summary_id IS NOT NULL
      AND alert.alert_id = ANY (${ids}::uuid[])`.execute(trx);
};

/** Says of each channel when there is something to do. In one order: whoever else locks several of them does so, too. */
const wakeTargets = async (trx: Kysely<Database>, rows: readonly Row[]): Promise<void> => {
  const due = rows.filter(({ due_at }) => due_at !== null);
  if (due.length === 0) return;
  const [tenants, channels, instants] = [due.map((row) => row.tenant), due.map((row) => row.channel_id), due.map((row) => row.due_at)];
  await sql`
    INSERT INTO alerting.target AS target (tenant, channel_id, next_at)
    SELECT tenant, channel_id, min(due_at)
    FROM unnest(${tenants}::text[], ${channels}::text[], ${instants}::timestamptz[]) AS due (tenant, channel_id, due_at)
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant, channel_id) DO UPDATE SET next_at = least(target.next_at, excluded.next_at)`.execute(trx);
};
