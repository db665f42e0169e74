import { type Bus, connectBus, startRelay } from '@bursar/bus';
import { routesOf } from '@bursar/contracts/http';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { AdminKey, createLogger, createService, type Limits, type Logger, SecretBox, type Service } from '@bursar/platform';
import { LitellmCredentials } from './adapters/http/litellm-caller.js';
import { exposeBacklogs } from './adapters/nats/intake-metrics.js';
import { natsTransports } from './adapters/nats/transports.js';
import { SqlLitellmSecrets } from './adapters/sql/litellm-secrets.js';
import { DatabaseClock } from './adapters/store/database-clock.js';
import { appModule } from './app.module.js';
import type { IngestionEnv } from './config.js';

/** For the dry run, and the relay's checkpoints. */
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
  const bus = config.NATS_URL === undefined ? null : await openBus(config.NATS_URL, store, logger);

  const authenticator = new AdminKey(config.BURSAR_ADMIN_KEY);
  const litellm = new LitellmCredentials(
    config.LITELLM_WEBHOOK_SECRET ?? null,
    authenticator,
    new SqlLitellmSecrets(database, SecretBox.of(config.BURSAR_SECRET_KEY, config.BURSAR_ADMIN_KEY), logger),
  );

  const service = await createService({
    name: 'ingestion',
    module: appModule({ store, database, clock, maxAgeSeconds: config.MAX_EVENT_AGE, litellm, bus }),
    config,
    authenticator,
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
  if (bus !== null) {
    await serveOnNats(service, bus, config.API_URL);
    const relay = startRelay({ store, bus, pool, url: config.DATABASE_URL });
    service.metrics.expose(() => relay.samples());
    service.onStop(() => relay.stop());
    service.readiness.add('bus', () => bus.ready());
  }
  return service;
};

/** Absent or broken, NATS takes nothing from HTTP: ranges are read from the store then. */
const openBus = async (url: string, store: EventStore, logger: Logger): Promise<Bus> => {
  const bus = await connectBus({ url, name: 'ingestion', logger });
  store.onAppended((range) => bus.publishRange(range));
  await bus.ensureStreams();
  return bus;
};

/** Closing the application closes its transports, the batches in hand settled; only then the bus. */
const serveOnNats = async (service: Service, bus: Bus, apiUrl: string | undefined): Promise<void> => {
  const { intake, requests } = natsTransports(bus, apiUrl);
  for (const strategy of [intake, requests]) service.app.connectMicroservice({ strategy });
  await service.app.startAllMicroservices();
  service.metrics.expose(() => bus.samples());
  exposeBacklogs(service.metrics, () => intake.backlogs);
  service.onStop(() => bus.close());
};
