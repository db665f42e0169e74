import { connectBus, startRelay } from '@bursar/bus';
import { routesOf } from '@bursar/contracts/http';
import { createDatabase, createPool, migrate, type Pool } from '@bursar/database';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { createLogger, createService, type Limits, type Service } from '@bursar/platform';
import { UsageIntake } from './adapters/nats/usage-intake.js';
import { UsageRecordResponder } from './adapters/nats/usage-record.js';
import { DatabaseClock } from './adapters/store/database-clock.js';
import { appModule } from './app.module.js';
import type { IngestionEnv } from './config.js';
import { RecordUsage } from './features/record-usage.js';

/** One is the relay's, for as long as this process leads it; the dry run has the others. */
const DATABASE_CONNECTIONS = 4;

/** The composition root: everything real, wired, not yet listening. */
export const bootIngestion = async (config: IngestionEnv, limits: Partial<Limits> = {}): Promise<Service> => {
  const logger = createLogger('ingestion', config.LOG_LEVEL);
  await migrate(config.DATABASE_URL);
  const store = await createEventStore(config.EVENT_STORE_URL, {
    partitions: config.PARTITIONS,
    name: 'ingestion',
    warn: (message, error) => logger.warn({ err: error }, message),
  });
  const pool = createPool(config.DATABASE_URL, { name: 'ingestion', max: DATABASE_CONNECTIONS });
  const database = createDatabase(pool);
  const clock = new DatabaseClock(store, logger);
  await clock.start();

  const service = await createService({
    name: 'ingestion',
    module: appModule({ store, database, clock, maxAgeSeconds: config.MAX_EVENT_AGE }),
    config,
    limits,
    logger,
    routes: routesOf('ingestion'),
  });
  service.readiness.add('event-store', async () => {
    await store.clock();
  });
  service.onStop(() => store.close());
  service.onStop(() => database.destroy());
  service.onStop(() => clock.stop());
  if (config.NATS_URL !== undefined) await startBus(service, { store, pool, url: config.NATS_URL });
  return service;
};

type Ledger = Readonly<{ store: EventStore; pool: Pool; url: string }>;

/** What ingestion does on NATS. Absent or broken, NATS takes nothing from HTTP: ranges are read from the store then. */
const startBus = async (service: Service, { store, pool, url }: Ledger): Promise<void> => {
  const { logger } = service;
  const bus = await connectBus({ url, name: 'ingestion', logger });
  store.onAppended((range) => bus.publishRange(range));
  service.metrics.expose(() => bus.samples());
  await bus.ensureStreams();
  const recordUsage = service.app.get(RecordUsage, { strict: false });
  const intake = new UsageIntake(bus, recordUsage, logger);
  const responder = new UsageRecordResponder(bus, recordUsage, logger);
  const relay = startRelay({ store, bus, pool });
  intake.start();
  responder.start();
  service.onStop(() => bus.close());
  service.onStop(async () => {
    await Promise.all([intake.stop(), responder.stop(), relay.stop()]);
  });
};
