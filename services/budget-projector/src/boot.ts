import { type Bus, connectBus } from '@bursar/bus';
import { routesOf } from '@bursar/contracts/http';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore } from '@bursar/event-store';
import { SqlLeases } from '@bursar/leases';
import { createLogger, createService, type Logger, type Service } from '@bursar/platform';
import { HttpOwners } from './adapters/http/http-owners.js';
import { ownUrl } from './adapters/http/own-url.js';
import { shortRoutes } from './adapters/http/short-routes.js';
import { CheckResponder } from './adapters/nats/check-responder.js';
import { ReservationsResponder } from './adapters/nats/reservations-responder.js';
import { enforcementTransport } from './adapters/nats/transport.js';
import { AuditMetrics } from './adapters/ops/audit-metrics.js';
import { ProjectorMetrics } from './adapters/ops/projector-metrics.js';
import { projectorReady } from './adapters/ops/projector-ready.js';
import { RefusalMetrics } from './adapters/ops/refusal-metrics.js';
import { SqlAuditReads } from './adapters/sql/sql-audit-reads.js';
import { SqlProjectionTables } from './adapters/sql/sql-projection-tables.js';
import { StoreClock } from './adapters/store/store-clock.js';
import { StoreLedger } from './adapters/store/store-ledger.js';
import { StoreTreeLedger } from './adapters/store/store-tree-ledger.js';
import { appModule } from './app.module.js';
import type { ProjectorEnv } from './config.js';
import { Audit } from './features/audit/audit.js';
import { Check } from './features/check.js';
import { DecideAtOwner } from './features/decide-at-owner.js';
import type { MemoryLimits } from './features/memory-room.js';
import { PartitionOwner } from './features/own-partitions.js';
import { ProcessShare } from './features/process-share.js';
import { RecordedRefusals } from './features/record-refusals.js';
import { Reserve } from './features/reserve.js';
import { PartitionRunner, type Tuning } from './features/run-partition.js';

const DATABASE_CONNECTIONS = 10;
const LONGEST_IDLE_MS = 5_000;

/** Of each owned partition; pauses in ms (PERFORMANCE §7: 50–100 ms between commits at load). */
const TUNING: Omit<Tuning, 'now'> = {
  retryMs: 100,
  maxEvents: 1_000,
  pauseMs: 75,
  breakdownPauseMs: 400,
  mostPending: 5_000,
};

/** Of all partitions that this process owns. */
const MEMORY: MemoryLimits = { tenants: 5_000, definitions: 12_000, periods: 100_000 };

/** Their owner has them in memory; of all others only the relay takes them, and gathers. */
const isDecisions = ({ type }: Readonly<{ type: string }>): boolean => type === 'HoldsChanged';

/** The composition root: everything real, wired, not yet listening. */
export const bootProjector = async (config: ProjectorEnv): Promise<Service> => {
  const logger = createLogger('budget-projector', config.LOG_LEVEL);
  await migrate(config.DATABASE_URL);
  const store = await createEventStore(config.EVENT_STORE_URL, {
    partitions: config.PARTITIONS,
    name: 'budget-projector',
    warn: (message, error) => logger.warn({ err: error }, message),
  });
  const bus = config.NATS_URL === undefined ? null : await startBus(config.NATS_URL, logger);
  if (bus !== null) store.onAppended((range) => bus.publishRange(range, !range.events.every(isDecisions)));
  const database = createDatabase(
    createPool(config.DATABASE_URL, {
      name: 'budget-projector',
      max: DATABASE_CONNECTIONS,
      // Whoever takes over waits for the checkpoint's row: an owner frozen in mid-commit lets it go about when its lease is over.
      idleInTransactionMs: Math.min(config.PARTITION_LEASE_MS, LONGEST_IDLE_MS),
    }),
  );

  const clock = new StoreClock(store, (error) => logger.warn({ err: error }, 'the database clock could not be read'));
  await clock.start();
  // On every answer, so the server is asked until it listens, and no more.
  let listening: string | null = config.ENFORCEMENT_URL ?? null;
  const url = (): string | null => {
    if (listening === null) listening = ownUrl(service.app.getHttpServer(), config.HOST);
    return listening;
  };
  const leases = new SqlLeases({
    url: config.DATABASE_URL,
    consumer: 'budget',
    partitions: store.partitions,
    ttlMs: config.PARTITION_LEASE_MS,
    ownUrl: url,
  });
  const desk = new DecideAtOwner(
    {
      partitions: store.partitions,
      decisionsOf: (partition) => owner.decisionsOf(partition),
      url,
      stopping: () => service.readiness.stopping,
    },
    new HttpOwners(leases, config.BURSAR_ADMIN_KEY, (error) => logger.warn({ err: error }, 'the owner of a partition could not be asked')),
  );
  const ledger = new StoreLedger(store, bus, (stream, ids) =>
    logger.error({ stream, ids }, 'emitted events differ from what the store holds under their ids; the stored ones stand'),
  );
  const refusalMetrics = new RefusalMetrics(logger);
  const refusals = new RecordedRefusals(ledger, refusalMetrics, () => clock.now());
  const checks = new Check(desk, clock, store.partitions);
  const reservations = new Reserve(desk, refusals);
  const service: Service = await createService({
    name: 'budget-projector',
    module: appModule(checks, reservations, bus !== null),
    config,
    logger,
    routes: routesOf('budget-projector'),
    shortRoutes: shortRoutes(checks, reservations),
  });
  const tables = new SqlProjectionTables(database, store);
  const heads = async (): Promise<ReadonlyMap<number, number>> =>
    new Map((await store.heads()).map(({ partition, position }) => [partition, position]));
  const ageAfter = async (partition: number, position: number): Promise<number> => {
    const [event] = await store.readPartition(partition, position, 1);
    return event === undefined ? 0 : (Date.now() - Date.parse(event.recordedAt)) / 1_000;
  };
  refusalMetrics.register(service.metrics);
  const audits = new AuditMetrics(service.metrics, logger);
  const events = new ProjectorMetrics(service.metrics, logger, audits, { heads, ageAfter }, () => [...owner.statuses().keys()]);
  if (bus !== null) {
    service.metrics.expose(() => bus.samples());
    service.readiness.add('bus', () => bus.ready());
  }
  const share = new ProcessShare(MEMORY);
  const owner: PartitionOwner = new PartitionOwner(
    leases,
    store.partitions,
    (lease) => new PartitionRunner(tables, ledger, events, { ...TUNING, now: () => clock.now() }, share, lease),
    {
      lost: (partition) => events.leaseLost(partition),
      trouble: (error) => logger.warn({ err: error }, 'the partition leases are out of reach; asking again'),
      stuck: (partition) => {
        logger.fatal({ partition }, 'what works on a partition does not end: this process is given up');
        process.exit(1);
      },
    },
  );
  service.readiness.add('partitions', () => projectorReady(owner));
  service.onStop(() => store.close());
  service.onStop(() => clock.stop());
  service.onStop(() => bus?.close());
  service.onStop(() => database.destroy());
  service.onStop(() => refusals.stop());
  service.onStop(() => owner.stop());
  const owned = (): readonly number[] => [...owner.statuses().keys()];
  const audit = new Audit(new SqlAuditReads(database, store), new StoreTreeLedger(store, tables), owned, audits);
  service.onStop(() => audit.stop());
  if (bus !== null) {
    const responders = { checks: service.app.get(CheckResponder), reservations: service.app.get(ReservationsResponder) };
    service.app.connectMicroservice({ strategy: enforcementTransport(bus, responders, config.API_URL) });
    await service.app.startAllMicroservices();
  }
  owner.start();
  audit.start();
  return service;
};

const startBus = async (url: string, logger: Logger): Promise<Bus> => {
  const bus = await connectBus({ url, name: 'budget-projector', logger });
  await bus.ensureStreams();
  return bus;
};
