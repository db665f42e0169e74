import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { type TestDatabase, type TestNats, testDatabase, testNats, until } from '@bursar/embedded';
import { createEventStore, type EventStore } from '@bursar/event-store';
import type { Service } from '@bursar/platform';
import type { Kysely, Selectable } from 'kysely';
import { bootAlerting } from '../../src/boot.js';
import { AlertingEnv } from '../../src/config.js';

export const PARTITIONS = 4;
const ADMIN_KEY = 'bsr_test_admin_key_of_the_suite';

export type AlertRow = Selectable<Database['alerting.alert']>;

/** Real PostgreSQL and NATS, a store to append what other services would, and the service itself as often as a test wants it. */
export type World = Readonly<{
  database: TestDatabase;
  nats: TestNats | null;
  store: EventStore;
  db: Kysely<Database>;
  env: Readonly<Record<string, string>>;
  boot(): Promise<Service>;
  alerts(tenant: string): Promise<readonly AlertRow[]>;
  /** Waits until the tenant has so many alerts; answers them, oldest first. */
  raised(tenant: string, count: number): Promise<readonly AlertRow[]>;
  /** Waits until everything in the ledger is recorded. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}>;

export const startWorld = async (withNats = true): Promise<World> => {
  const [database, nats] = await Promise.all([testDatabase(), withNats ? testNats() : null]);
  await migrate(database.url);
  const env = {
    DATABASE_URL: database.url,
    EVENT_STORE_URL: database.url,
    BURSAR_ADMIN_KEY: ADMIN_KEY,
    PARTITIONS: String(PARTITIONS),
    LOG_LEVEL: 'error',
    ...(nats !== null && { NATS_URL: nats.url }),
  };
  const store = await createEventStore(database.url, { partitions: PARTITIONS, name: 'test' });
  const db = createDatabase(createPool(database.url, { name: 'test', max: 2 }));
  const services: Service[] = [];
  const alerts = (tenant: string): Promise<AlertRow[]> =>
    db.selectFrom('alerting.alert').selectAll().where('tenant', '=', tenant).orderBy('position').execute();
  return {
    database,
    nats,
    store,
    db,
    env,
    boot: async () => {
      const service = await bootAlerting(AlertingEnv.parse(env));
      services.push(service);
      return service;
    },
    alerts,
    raised: async (tenant, count) => {
      await eventually(async () => (await alerts(tenant)).length >= count);
      return alerts(tenant);
    },
    settled: () =>
      eventually(async () => {
        const heads = await store.heads();
        const rows = await db
          .selectFrom('projection.checkpoint')
          .select(['partition', 'position'])
          .where('projection', '=', 'alerting')
          .execute();
        const at = new Map(rows.map(({ partition, position }) => [partition, position]));
        return heads.every(({ partition, position }) => (at.get(partition) ?? 0) >= position);
      }),
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()));
      await store.close();
      await db.destroy();
      await Promise.all([database.drop(), nats?.stop()]);
    },
  };
};

/** A crowded machine is slow; what is tested is that it happens. */
export const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  if (!(await until(condition, 110_000))) throw new Error('it did not happen within 110 s');
};
