import { connectBus, DEFAULT_STREAM_LIMITS } from '@bursar/bus';
import { LedgerServer, leasedPartitions } from '@bursar/bus/nest';
import { routesOf } from '@bursar/contracts/http';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore } from '@bursar/event-store';
import { createLogger, createService, type Service } from '@bursar/platform';
import { sql } from 'kysely';
import { NatsTopics } from './adapters/nats/nats-topics.js';
import { AlertMetrics } from './adapters/ops/alert-metrics.js';
import { DeliveryMetrics } from './adapters/ops/delivery-metrics.js';
import { ledgerReady } from './adapters/ops/ledger-ready.js';
import { SqlAlertTables } from './adapters/sql/sql-alert-tables.js';
import { SqlPublications } from './adapters/sql/sql-publications.js';
import { SqlStandings } from './adapters/sql/sql-standings.js';
import { StoreBudgets } from './adapters/store/store-budgets.js';
import { StoreCauses } from './adapters/store/store-causes.js';
import { StoreLedger } from './adapters/store/store-ledger.js';
import { StoreNotices } from './adapters/store/store-notices.js';
import { appModule } from './app.module.js';
import type { AlertingEnv } from './config.js';
import { openDelivery } from './delivery.js';
import { PublishAlerts } from './features/publish-alerts.js';
import { RecordAlerts } from './features/record-alerts.js';

const DATABASE_CONNECTIONS = 10;
/** How long an alert is on the topics; what is older is asked for over HTTP. */
const KEPT_HOURS = DEFAULT_STREAM_LIMITS.alertsHours;

/** The composition root: everything real, wired, not yet listening. */
export const bootAlerting = async (config: AlertingEnv): Promise<Service> => {
  const logger = createLogger('alerting', config.LOG_LEVEL);
  await migrate(config.DATABASE_URL);
  const store = await createEventStore(config.EVENT_STORE_URL, {
    partitions: config.PARTITIONS,
    name: 'alerting',
    warn: (message, error) => logger.warn({ err: error }, message),
  });
  const pool = createPool(config.DATABASE_URL, { name: 'alerting', max: DATABASE_CONNECTIONS });
  const database = createDatabase(pool);
  const bus = await connectBus({ url: config.NATS_URL, name: 'alerting', logger });
  store.onAppended((range) => bus.publishRange(range));
  await bus.ensureStreams();

  const publications = new SqlPublications(database, KEPT_HOURS);
  const publishing = new PublishAlerts(publications, new NatsTopics(bus, publications));
  const counting = new AlertMetrics();
  const budgets = new StoreBudgets(store);
  const delivery = openDelivery({ config, database, store, logger });
  const effects = [publishing, delivery.effect, counting];
  const alerts = new RecordAlerts({
    tables: new SqlAlertTables(database, {
      keptHours: KEPT_HOURS,
      effects,
      trouble: (error) => logger.warn({ err: error }, 'alerts could not be recorded; it is tried again'),
    }),
    ledger: new StoreLedger(store),
    budgets,
    causes: new StoreCauses(store),
    standings: new SqlStandings(database),
    noticed: new StoreNotices(database, store, budgets),
    effects,
  });

  const service = await createService({
    name: 'alerting',
    module: appModule(alerts, delivery.providers),
    config,
    logger,
    routes: routesOf('alerting'),
  });
  const supply = leasedPartitions({
    url: config.DATABASE_URL,
    partitions: store.partitions,
    startAfter: (_consumer, lease) => alerts.startAfter(lease),
    beside: (_consumer, { partition }, signal) => publishing.run(partition, signal),
    logger,
  });
  const ledger = new LedgerServer({ store, bus, supply });
  service.readiness.add('event-store', async () => void (await store.clock()));
  service.readiness.add('database', async () => void (await sql`SELECT 1`.execute(database)));
  service.readiness.add('ledger', () => ledgerReady(ledger));
  service.readiness.add('bus', () => bus.ready());
  service.onStop(() => store.close());
  service.onStop(() => database.destroy());
  counting.register(service.metrics, () => publications.unpublished());
  delivery.countIn(new DeliveryMetrics(service.metrics, () => delivery.deliveries.waiting()));
  delivery.dispatcher.start();
  service.onStop(async () => {
    await delivery.dispatcher.stop();
    delivery.close();
  });
  service.onStop(() => bus.close());
  service.app.connectMicroservice({ strategy: ledger });
  await service.app.startAllMicroservices();
  service.metrics.expose(() => [...bus.samples(), ...ledger.samples()]);
  return service;
};
