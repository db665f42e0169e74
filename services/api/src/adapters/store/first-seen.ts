import { formatInstant, parseInstant, scopeStream, tenantStream, usageStream } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import type { Kysely } from 'kysely';

/** When the tenant came into being: its first usage, scope, price, setting or budget. null: it has nothing yet. */
export const firstSeen = async (store: EventStore, db: Kysely<Database>, tenant: string): Promise<string | null> => {
  const streams = [usageStream, scopeStream, tenantStream].map((streamOf) => store.readStream(streamOf(tenant), 0, 1));
  const oldest = db
    .selectFrom('projection.budget')
    .select('created_at')
    .where('tenant', '=', tenant)
    .orderBy('created_position')
    .limit(1)
    .executeTakeFirst();
  const [events, budget] = await Promise.all([Promise.all(streams), oldest]);
  const texts = [...events.flatMap(([event]) => event?.recordedAt ?? []), ...(budget === undefined ? [] : [budget.created_at])];
  const [earliest] = texts.map((text) => parseInstant(text)).sort((a, b) => (a < b ? -1 : 1));
  return earliest === undefined ? null : formatInstant(earliest);
};
