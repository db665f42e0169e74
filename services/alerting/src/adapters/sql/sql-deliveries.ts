import { randomUUID } from 'node:crypto';
import type { AlertPreferences, Database, StoredAttempt, StoredDelivery } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { afterAttempt, type Settled, slotsOf } from '../../domain/delivery/settle.js';
import { type Aside, type Claimed, type Claims, Deliveries } from '../../features/delivery/ports.js';
import { claimDue, lockReady, nextInstant, renewLeases, scheduleTargets } from './claim-deliveries.js';
import { withDefaults } from './tenant-routing.js';

type Target = Readonly<{ tenant: string; channelId: string }>;

/**
 * Tables `alerting.delivery` and `alerting.target`. Whoever claims or settles locks the target's row first and looks after that, in
 * another statement: so counts of what is under way are exact, and no wake-up is overwritten by an older one.
 */
export class SqlDeliveries extends Deliveries {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly random: () => number = Math.random,
  ) {
    super();
  }

  async claim(limit: number, exceptTenants: readonly string[]): Promise<Claims> {
    const lease = randomUUID();
    const claimed = await this.db.transaction().execute(async (trx): Promise<readonly Claimed[]> => {
      const targets = await lockReady(trx, limit, exceptTenants);
      if (targets.length === 0) return [];
      const rows = await claimDue(trx, targets, lease);
      await scheduleTargets(trx, targets);
      return rows;
    });
    // Who took something looks again at once, and waits for no instant.
    return { claimed, nextMs: claimed.length > 0 ? null : await nextInstant(this.db) };
  }

  renew(held: readonly Claimed[]): Promise<void> {
    return renewLeases(this.db, held);
  }

  async settle(claimed: Claimed, attempt: StoredAttempt, settled: Settled): Promise<void> {
    await this.#withTarget(claimed, (trx, failures) => this.#settle(trx, failures, claimed, attempt, settled));
  }

  settleAndClaim(claimed: Claimed, attempt: StoredAttempt): Promise<Claimed | null> {
    const { tenant, channelId } = claimed;
    return this.#withTarget(claimed, async (trx, failures) => {
      const isOurs = await this.#settle(trx, failures, claimed, attempt, { status: 'delivered' });
      if (!isOurs) return null;
      const [next] = await claimDue(trx, [{ tenant, channelId, slots: slotsOf(0) }], randomUUID(), 1);
      return next ?? null;
    });
  }

  /** With its target locked, which failed so often in a row before. Answers false when another process has taken the delivery over. */
  async #settle(
    trx: Kysely<Database>,
    failuresBefore: number,
    { deliveryId, tenant, channelId, lease }: Claimed,
    attempt: StoredAttempt,
    settled: Settled,
  ): Promise<boolean> {
    const delay = settled.status === 'pending' ? sql<string>`now() + make_interval(secs => ${settled.delayMs / 1_000})` : null;
    const wentWell = settled.status === 'delivered';
    const { numUpdatedRows } = await trx
      .updateTable('alerting.delivery')
      .set({
        status: settled.status,
        due_at: delay,
        lease: null,
        attempts: sql`attempts || ${JSON.stringify([attempt])}::jsonb`,
        delivered_at: wentWell ? sql<string>`now()` : null,
      })
      .where('delivery_id', '=', deliveryId)
      .where('lease', '=', lease)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    if (wentWell && failuresBefore === 0) return true;
    const { failures, openMs } = afterAttempt(failuresBefore, wentWell, this.random());
    const openUntil = openMs === null ? null : sql<string>`now() + make_interval(secs => ${openMs / 1_000})`;
    await trx
      .updateTable('alerting.target')
      .set({ failures, open_until: openUntil })
      .where('tenant', '=', tenant)
      .where('channel_id', '=', channelId)
      .execute();
    return true;
  }

  async setAside({ deliveryId, tenant, channelId, lease }: Claimed, { status, preview }: Aside): Promise<void> {
    await this.#withTarget({ tenant, channelId }, async (trx) => {
      await trx
        .updateTable('alerting.delivery')
        .set({
          status,
          due_at: null,
          lease: null,
          attempt_count: sql`attempt_count - 1`,
          tries: sql`tries - 1`,
          preview: preview === null ? null : JSON.stringify(preview),
        })
        .where('delivery_id', '=', deliveryId)
        .where('lease', '=', lease)
        .execute();
    });
  }

  async replay(tenant: string, alertId: string, deliveryId: string): Promise<StoredDelivery | 'busy' | 'gone' | null> {
    const row = await this.db
      .selectFrom('alerting.delivery')
      .select(['status', 'channel_id'])
      .where('delivery_id', '=', deliveryId)
      .where('tenant', '=', tenant)
      .where('alert_id', '=', alertId)
      .executeTakeFirst();
    if (row === undefined) return null;
    if (row.status === 'channel_removed') return 'gone';
    return this.#withTarget({ tenant, channelId: row.channel_id }, async (trx) => {
      const queued = await trx
        .updateTable('alerting.delivery')
        .set({ status: 'pending', due_at: sql<string>`now()`, tries: 0, delivered_at: null, preview: null })
        .where('delivery_id', '=', deliveryId)
        .where('status', '!=', 'sending')
        .returningAll()
        .executeTakeFirst();
      return queued ?? 'busy';
    });
  }

  async preferences(tenant: string): Promise<AlertPreferences> {
    const row = await this.db.selectFrom('alerting.preference').select('preferences').where('tenant', '=', tenant).executeTakeFirst();
    return withDefaults(row?.preferences);
  }

  async waiting(): Promise<number> {
    const { count } = await this.db
      .selectFrom('alerting.delivery')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('status', 'in', ['pending', 'sending'])
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** Locks the target, does the work, and says anew when there is something to do. */
  #withTarget<T>(target: Target, work: (trx: Kysely<Database>, failures: number) => Promise<T>): Promise<T> {
    const { tenant, channelId } = target;
    return this.db.transaction().execute(async (trx) => {
      const { failures } = (await lockTarget(trx, target)) ?? (await insertTarget(trx, target));
      const result = await work(trx, failures);
      await scheduleTargets(trx, [{ tenant, channelId, slots: null }]);
      return result;
    });
  }
}

const lockTarget = (trx: Kysely<Database>, { tenant, channelId }: Target): Promise<Readonly<{ failures: number }> | undefined> =>
  trx
    .selectFrom('alerting.target')
    .select('failures')
    .where('tenant', '=', tenant)
    .where('channel_id', '=', channelId)
    .forUpdate()
    .executeTakeFirst();

/** Locked too, whoever inserted it. */
const insertTarget = (trx: Kysely<Database>, { tenant, channelId }: Target): Promise<Readonly<{ failures: number }>> =>
  trx
    .insertInto('alerting.target')
    .values({ tenant, channel_id: channelId, open_until: null, next_at: null })
    .onConflict((conflict) => conflict.columns(['tenant', 'channel_id']).doUpdateSet({ tenant }))
    .returning('failures')
    .executeTakeFirstOrThrow();
