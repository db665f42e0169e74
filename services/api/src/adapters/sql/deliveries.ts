import type { Database, StoredDelivery } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** Deliveries of an alert by the names of their channels, from after a place on. */
export const alertDeliveries = (
  db: Kysely<Database>,
  tenant: string,
  alertId: string,
  after: Readonly<{ name: string; id: string }> | null,
  limit: number,
): Promise<readonly StoredDelivery[]> =>
  db
    .selectFrom('alerting.delivery')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('alert_id', '=', alertId)
    .$if(after !== null, (query) => query.where(sql<boolean>`(channel_name, delivery_id) > (${after?.name}, ${after?.id}::uuid)`))
    .orderBy('channel_name')
    .orderBy('delivery_id')
    .limit(limit)
    .execute();
