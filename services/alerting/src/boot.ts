import { type Bus, connectBus } from '@bursar/bus';
import { LedgerServer } from '@bursar/bus/nest';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { createLogger, createService, type Logger, type Service } from '@bursar/platform';
import { sql } from 'kysely';
import { ledSupply } from './adapters/bus/led-supply.js';
import { pollStore } from './adapters/bus/poll-store.js';
import { SqlAlertTables } from './adapters/sql/sql-alert-tables.js';
import { SqlStandings } from './adapters/sql/sql-standings.js';
import { StoreBudgets } from './adapters/store/store-budgets.js';
import { StoreLedger } from './adapters/store/store-ledger.js';
import { appModule } from './app.module.js';
import type { AlertingEnv } from './config.js';
import type { Effect } from './features/ports.js';
import { RecordAlerts } from './features/record-alerts.js';

/** One is the leader's, for as long as this process leads. */
const DATABASE_CONNECTIONS = 10;

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
  const bus = config.NATS_URL === undefined ? null : await openBus(config.NATS_URL, store, logger);
  const effects: Effect[] = [];
  const alerts = new RecordAlerts({
    tables: new SqlAlertTables(database),
    ledger: new StoreLedger(store),
    budgets: new StoreBudgets(store),
    standings: new SqlStandings(database),
    effects,
  });

  const service = await createService({ name: 'alerting', module: appModule(alerts), config, logger });
  service.readiness.add('event-store', async () => void (await store.clock()));
  service.readiness.add('database', async () => void (await sql`SELECT 1`.execute(database)));
  service.onStop(() => store.close());
  service.onStop(() => database.destroy());
  const supply = ledSupply(pool, {
    partitions: store.partitions,
    startAfter: (_consumer, partition) => alerts.startAfter(partition),
    logger,
  });
  if (bus !== null) {
    service.metrics.expose(() => bus.samples());
    service.onStop(() => bus.close());
    service.app.connectMicroservice({ strategy: new LedgerServer({ store, bus, supply }) });
    await service.app.startAllMicroservices();
  } else {
    service.onStop(pollStore(store, supply, alerts));
  }
  return service;
};

/** Absent or broken, NATS takes nothing from alerts but their topics: the ledger is read from the store then. */
const openBus = async (url: string, store: EventStore, logger: Logger): Promise<Bus> => {
  const bus = await connectBus({ url, name: 'alerting', logger });
  store.onAppended((range) => bus.publishRange(range));
  await bus.ensureStreams();
  return bus;
};
