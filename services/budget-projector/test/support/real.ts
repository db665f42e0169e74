import { decodeStored } from '@bursar/bus';
import { contentHash, type LedgerEvent, type UsageReratedData, type UsageVoidedData, usageStream } from '@bursar/contracts';
import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { testDatabase } from '@bursar/embedded';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { type Kysely, sql } from 'kysely';
import { SqlProjectionTables } from '../../src/adapters/sql/sql-projection-tables.js';
import { isCorrection } from '../../src/features/ledger.js';
import { KEY, seize } from './leases.js';
import { MemoryLedger } from './memory-ledger.js';
import type { Step } from './stories.js';
import { TENANT, World } from './world.js';

export type Real = Readonly<{ url: string; store: EventStore; db: Kysely<Database>; tables: SqlProjectionTables; close(): Promise<void> }>;

/** A real store and real tables in a fresh database, one partition. */
export const real = async (): Promise<Real> => {
  const database = await testDatabase();
  await migrate(database.url);
  const store = await createEventStore(database.url, { partitions: 1 });
  const db = createDatabase(createPool(database.url, { name: 'test', max: 4 }));
  return {
    url: database.url,
    store,
    db,
    tables: new SqlProjectionTables(db, store),
    close: async () => {
      await store.close();
      await db.destroy();
      await database.drop();
    },
  };
};

/** Empties the projection, as before its first event. The partition is leased to who drives it by hand. */
export const wipe = async (db: Kysely<Database>): Promise<void> => {
  const { rows } = await sql<{ name: string }>`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'projection'`.execute(db);
  await sql`TRUNCATE ${sql.raw(rows.map(({ name }) => name).join(', '))}`.execute(db);
  await seize(db, KEY);
};

const LEAD_MS = 5 * 86_400_000;

/** What the steps mean, appended to the real store in order, with a pause now and then. */
export const publish = async (store: EventStore, steps: readonly Step[], pause: () => Promise<void> = async () => {}): Promise<void> => {
  const ledger = new MemoryLedger();
  // The store has its own clock; the story's, which says when usage happened, begins not long before it.
  ledger.nowMs = Math.floor((Date.now() - LEAD_MS) / 1_000) * 1_000;
  const world = new World(ledger);
  for (const step of steps) world.take(step);
  for (let from = 0; from < ledger.events.length; from += 50) {
    const events = ledger.events.slice(from, from + 50);
    await Promise.all(events.filter((event) => !isCorrection(event)).map((event) => append(store, unrated(event))));
    const corrections = events.filter(isCorrection);
    await Promise.all(corrections.map(async (event) => append(store, { ...event, data: await withStored(store, event.data) })));
    await pause();
  }
};

/** Positions of the store are not the story's, so that nothing was rated at any of them yet. */
const unrated = (event: LedgerEvent): LedgerEvent => {
  if (event.type !== 'UsageRecorded') return event;
  const { rated: _, ratedAt: __, ...data } = event.data;
  return { ...event, data };
};

/** A void or an adjustment carries its usage as the store has it, and where. */
const withStored = async (store: EventStore, data: UsageVoidedData | UsageReratedData): Promise<UsageVoidedData | UsageReratedData> => {
  const known = (await store.lookup(0, [data.eventId])).get(data.eventId);
  const [event] = await store.readStream(usageStream(TENANT), known?.revision ?? 0, 1);
  if (event?.id !== data.eventId) throw new Error(`usage ${data.eventId} is not in the store`);
  const { position, revision, recordedAt, data: stored } = event;
  return { ...data, original: { position, revision, recordedAt, data: JSON.parse(stored) } };
};

/** Position in the store. */
export const append = async (
  store: EventStore,
  { stream, id, type, meta, data }: Pick<LedgerEvent, 'stream' | 'id' | 'meta'> & { type: string; data: unknown },
): Promise<number> => {
  const event = { id, type, version: 1, data: JSON.stringify(data), meta: JSON.stringify(meta), contentHash: contentHash(data) };
  const result = await store.append({ partition: 0, stream, events: [event], expectedRevision: 'any' });
  return result.ok ? (result.outcomes[0]?.position ?? 0) : 0;
};

export const ledgerOf = async (store: EventStore): Promise<readonly LedgerEvent[]> => {
  const events: LedgerEvent[] = [];
  for (;;) {
    const page = await store.readPartition(0, events.length, 1_000);
    if (page.length === 0) return events;
    events.push(...page.map(decodeStored));
  }
};

/** `budget period spend events failed waiting`, sorted, of live budgets. */
export const balanceLines = async (db: Kysely<Database>): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('projection.balance as b')
    .innerJoin('projection.budget as d', (join) => join.onRef('d.tenant', '=', 'b.tenant').onRef('d.budget_id', '=', 'b.budget_id'))
    .select(['b.budget_id', 'b.period_start', 'b.spend', 'b.events', 'b.failed_spend', 'b.waiting'])
    .where('d.deleted', '=', false)
    .execute();
  const plain = (amount: string): string => amount.replace(/\.?0+$/, '') || '0';
  return rows
    .map((row) => [row.budget_id, row.period_start, plain(row.spend), row.events, plain(row.failed_spend), row.waiting].join(' '))
    .sort();
};

/** Polls until it holds; fails after a minute with the last answer. */
export const eventually = async <T>(ask: () => Promise<T> | T, holds: (answer: T) => boolean): Promise<T> => {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`did not come to hold: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
