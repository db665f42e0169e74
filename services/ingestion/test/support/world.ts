import { type TestDatabase, type TestNats, testDatabase, testNats } from '@bursar/embedded';
import { createEventStore, type EventStore, type StoredEvent } from '@bursar/event-store';
import { type Limits, loadConfig, type Service } from '@bursar/platform';
import { bootIngestion } from '../../src/boot.js';
import { IngestionEnv } from '../../src/config.js';

export const KEY = 'test-admin-key-0123456789';
export const PARTITIONS = 4;

/** Real PostgreSQL, real nats-server when asked for, and any number of ingestion services on them. */
export type World = Readonly<{
  database: TestDatabase;
  nats: TestNats | null;
  store: EventStore;
  /** A replica in this process, listening. */
  replica(env?: Record<string, string>, limits?: Partial<Limits>): Promise<Replica>;
  /** Everything stored of a tenant's usage. */
  usageOf(tenant: string): Promise<readonly StoredEvent[]>;
  close(): Promise<void>;
}>;
export type Replica = Readonly<{ url: string; service: Service }>;

/** On a machine that stalls, refusing for being late would hide what a test is about. */
const PATIENT: Partial<Limits> = { loopLagMs: 60_000 };

export const openWorld = async ({ nats: withNats = false } = {}): Promise<World> => {
  const database = await testDatabase();
  const nats = withNats ? await testNats() : null;
  const store = await createEventStore(database.url, { partitions: PARTITIONS });
  const replicas: Service[] = [];
  return {
    database,
    nats,
    store,
    replica: async (env = {}, limits = {}) => {
      const service = await bootIngestion(loadConfig(IngestionEnv, { ...environment(database, nats), LOG_LEVEL: 'fatal', ...env }), {
        ...PATIENT,
        ...limits,
      });
      replicas.push(service);
      return { url: (await service.start()).url, service };
    },
    usageOf: (tenant) => readAll(store, `usage-${tenant}`),
    close: async () => {
      await Promise.all(replicas.map((service) => service.stop()));
      await store.close();
      await nats?.stop();
      await database.drop();
    },
  };
};

export const environment = (database: TestDatabase, nats: TestNats | null): Record<string, string> => ({
  BURSAR_ADMIN_KEY: KEY,
  DATABASE_URL: database.url,
  EVENT_STORE_URL: database.url,
  PARTITIONS: String(PARTITIONS),
  ...(nats !== null && { NATS_URL: nats.url }),
});

export const readAll = async (store: EventStore, stream: string): Promise<readonly StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.readStream(stream, events.length, 1_000);
    if (page.length === 0) return events;
    events.push(...page);
  }
};

/** A tenant nobody else in the run uses. */
export const freshTenant = (): string => `t-${crypto.randomUUID()}`;

/** Polls until it holds. */
export const eventually = async (condition: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
