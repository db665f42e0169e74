import type { AlertRaisedData, StoredChannel } from '@bursar/contracts';
import type { AlertPreferences, Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { FAILURES_TO_OPEN, slotsOf } from '../../domain/delivery/settle.js';
import type { Claimed } from '../../features/delivery/ports.js';
import { withDefaults } from './tenant-routing.js';

/** An attempt whose process has said nothing for so long is lost with it: four times as long as it takes to say so again. */
const LEASE_SECONDS = 8;

/** Of one target at once, at most: no target has more slots. */
const MOST = 2;

/** A locked target and how many attempts it may have at once; null: as its breaker says. */
export type LockedTarget = Readonly<{ tenant: string; channelId: string; slots: number | null }>;

/** Locks targets with something to do; those that another process works on are passed over. */
export const lockReady = async (
  trx: Kysely<Database>,
  limit: number,
  exceptTenants: readonly string[],
): Promise<readonly LockedTarget[]> => {
  const { rows } = await sql<{ tenant: string; channel_id: string; failures: number }>`
    SELECT tenant, channel_id, failures FROM alerting.target
    WHERE next_at <= now() AND (open_until IS NULL OR open_until <= now()) AND tenant <> ALL (${exceptTenants}::text[])
    ORDER BY next_at LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(trx);
  return rows.map(({ tenant, channel_id, failures }) => ({ tenant, channelId: channel_id, slots: slotsOf(failures) }));
};

type ClaimedRow = Readonly<{
  delivery_id: string;
  tenant: string;
  channel_id: string;
  channel: StoredChannel | null;
  preferences: Partial<AlertPreferences> | null;
  data: AlertRaisedData;
  attempt_count: number;
  tries: number;
  held_back: Claimed['heldBack'];
}>;

/** Takes what is due of locked targets, oldest first. An attempt whose process died is noted as interrupted and begun again. */
export const claimDue = async (
  trx: Kysely<Database>,
  targets: readonly LockedTarget[],
  lease: string,
  most = MOST,
): Promise<readonly Claimed[]> => {
  const { rows } = await sql<ClaimedRow>`
    WITH target AS (SELECT * FROM ${tableOf(targets)}),
    picked AS (
      SELECT due.* FROM target CROSS JOIN LATERAL (
        SELECT d.delivery_id, d.tenant, d.alert_id, d.channel_id, d.kind FROM alerting.delivery d
        WHERE d.tenant = target.tenant AND d.channel_id = target.channel_id AND d.status IN ('pending', 'sending') AND d.due_at <= now()
        ORDER BY d.due_at, d.position
        LIMIT least(${most}::int, greatest(0, target.slots - (SELECT count(*) FROM alerting.delivery busy
          WHERE busy.tenant = target.tenant AND busy.channel_id = target.channel_id AND busy.status = 'sending' AND busy.due_at > now())))
      ) due
    )
    UPDATE alerting.delivery d SET
      status = 'sending',
      attempts = CASE d.status WHEN 'sending' THEN d.attempts || jsonb_build_object('number', d.attempt_count, 'at',
        to_char(d.begun_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'durationMs', NULL, 'outcome', 'interrupted',
        'status', NULL, 'detail', NULL) ELSE d.attempts END,
      attempt_count = d.attempt_count + 1, tries = d.tries + 1, begun_at = clock_timestamp(), lease = ${lease}::uuid,
      due_at = now() + make_interval(secs => ${LEASE_SECONDS})
    FROM picked
      JOIN alerting.alert a ON a.tenant = picked.tenant AND a.alert_id = picked.alert_id
      LEFT JOIN alerting.channel c ON c.tenant = picked.tenant AND c.channel_id = picked.channel_id
      LEFT JOIN alerting.preference p ON p.tenant = picked.tenant
      LEFT JOIN LATERAL (
        SELECT jsonb_build_object('count', count(*), 'from', min(b.created_at), 'to', max(b.created_at)) AS held_back,
          (array_agg(l.data ORDER BY b.position DESC))[1] AS latest
        FROM alerting.delivery b JOIN alerting.alert l ON l.tenant = b.tenant AND l.alert_id = b.alert_id
        WHERE picked.kind = 'summary' AND b.summary_id = picked.delivery_id
      ) s ON picked.kind = 'summary'
    WHERE d.delivery_id = picked.delivery_id
    RETURNING d.delivery_id, d.tenant, d.channel_id, d.attempt_count, d.tries, c.channel, p.preferences, coalesce(s.latest, a.data) AS data,
      s.held_back`.execute(trx);
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    tenant: row.tenant,
    channelId: row.channel_id,
    channel: row.channel,
    alert: row.data,
    preferences: withDefaults(row.preferences),
    heldBack: row.held_back,
    number: row.attempt_count,
    tries: row.tries,
    lease,
  }));
};

/** Holds on to attempts under way, as long as nobody has taken them over. */
export const renewLeases = async (db: Kysely<Database>, held: readonly Pick<Claimed, 'deliveryId' | 'lease'>[]): Promise<void> => {
  await sql`
    UPDATE alerting.delivery d SET due_at = now() + make_interval(secs => ${LEASE_SECONDS})
    FROM unnest(${held.map(({ deliveryId }) => deliveryId)}::uuid[], ${held.map(({ lease }) => lease)}::uuid[]) AS held (delivery_id, lease)
    WHERE d.delivery_id = held.delivery_id AND d.lease = held.lease AND d.status = 'sending'`.execute(db);
};

/** Says of locked targets when there is something to do next: with all slots taken, when an attempt would count as lost. */
export const scheduleTargets = async (trx: Kysely<Database>, targets: readonly LockedTarget[]): Promise<void> => {
  await sql`
    UPDATE alerting.target t SET next_at = (
      SELECT CASE
        WHEN count(*) FILTER (WHERE d.status = 'sending' AND d.due_at > now()) >= CASE WHEN t.failures >= ${FAILURES_TO_OPEN} THEN 1 ELSE 2 END
        THEN min(d.due_at) FILTER (WHERE d.status = 'sending') ELSE min(d.due_at) END
      FROM alerting.delivery d
      WHERE d.tenant = t.tenant AND d.channel_id = t.channel_id AND d.status IN ('pending', 'sending'))
    FROM ${tableOf(targets)}
    WHERE t.tenant = target.tenant AND t.channel_id = target.channel_id`.execute(trx);
};

/** Milliseconds until the next target has something to do that has nothing now; null: none has. */
export const nextInstant = async (db: Kysely<Database>): Promise<number | null> => {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT (extract(epoch FROM least(
      (SELECT min(next_at) FROM alerting.target WHERE next_at > now()),
      (SELECT min(open_until) FROM alerting.target WHERE open_until > now() AND next_at IS NOT NULL)) - clock_timestamp()) * 1000)::float8 AS ms`.execute(
    db,
  );
  return rows[0]?.ms ?? null;
};

const tableOf = (targets: readonly LockedTarget[]) => {
  const [tenants, channels, slots] = [
    targets.map((one) => one.tenant),
    targets.map((one) => one.channelId),
    targets.map((one) => one.slots),
  ];
  return sql`unnest(${tenants}::text[], ${channels}::text[], ${slots}::int[]) AS target (tenant, channel_id, slots)`;
};
