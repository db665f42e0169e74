import { connectBus } from '@bursar/bus';
import { leasedPartitions } from '@bursar/bus/nest';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore } from '@bursar/event-store';
import { createLogger, createService, type Service, Slots } from '@bursar/platform';
import { sql } from 'kysely';
import { SchedulerMetrics } from './adapters/ops/scheduler-metrics.js';
import { CONSUMER } from './adapters/sql/checkpoints.js';
import { noteTimeZoneData } from './adapters/sql/time-zone-data.js';
import { countStuck } from './adapters/sql/timers.js';
import { StoreLedger } from './adapters/store/ledger.js';
import { TIME_ZONE_DATA } from './adapters/time-zone-data.js';
import { AppModule } from './app.module.js';
import type { SchedulerEnv } from './config.js';
import { Bucket } from './features/bucket.js';
import { CloseDue } from './features/close-due.js';
import { ClosePartition } from './features/close-partition.js';
import { TimeKeeper } from './features/keep-time.js';
import { RestateLate } from './features/restate-late.js';
import { Scheduler } from './features/run-scheduler.js';

const DATABASE_CONNECTIONS = 12;
const READING_CONNECTIONS = 5;
/** What is due together up to this is not spread (API.md, Periods). */
const AT_ONCE = 1_000;
/** Turns at the same time, over all partitions. */
const TURNS_TOGETHER = 4;

/** The composition root: everything real, wired, not yet listening. */
export const bootScheduler = async (config: SchedulerEnv): Promise<Service> => {
  const logger = createLogger('reset-scheduler', config.LOG_LEVEL);
  await migrate(config.DATABASE_URL);
  const store = await createEventStore(config.EVENT_STORE_URL, {
    partitions: config.PARTITIONS,
    name: 'reset-scheduler',
    warn: (message, error) => logger.warn({ err: error }, message),
  });
  const bus = await connectBus({ url: config.NATS_URL, name: 'reset-scheduler', logger });
  store.onAppended((range) => bus.publishRange(range));
  const database = createDatabase(createPool(config.DATABASE_URL, { name: 'reset-scheduler', max: DATABASE_CONNECTIONS }));
  const reads = createDatabase(createPool(config.DATABASE_URL, { name: 'reset-scheduler', max: READING_CONNECTIONS }));
  const service = await createService({ name: 'reset-scheduler', module: AppModule, config, logger });
  const metrics = new SchedulerMetrics(service.metrics, logger, () => countStuck(database));
  service.metrics.expose(() => bus.samples());
  service.readiness.add('bus', () => bus.ready());

  const ledger = new StoreLedger(store, bus);
  const close = new CloseDue(database, ledger, metrics, reads);
  const { before } = await noteTimeZoneData(database, TIME_ZONE_DATA, config.PARTITIONS);
  if (before !== null) metrics.otherTimeZoneData(before);
  const bucket = new Bucket(AT_ONCE, config.RESETS_PER_SECOND, performance.now());
  const slots = new Slots(TURNS_TOGETHER);
  const keeperOf = (hurry: (partition: number) => Promise<void>): TimeKeeper => {
    const watch = {
      failed: (what: string, error: unknown) => metrics.failedAt(what, error),
      overdue: (seconds: number) => metrics.overdue(seconds),
      skewed: (seconds: number) => metrics.skewed(seconds),
    };
    const closing = new ClosePartition(database, ledger, close, bucket, slots, hurry);
    return new TimeKeeper(database, ledger.partitions, closing, watch, () => Date.now());
  };
  const scheduler = new Scheduler(
    database,
    ledger,
    { close, keeper: keeperOf, restater: new RestateLate(database, ledger, metrics, reads) },
    { failed: (what, error) => metrics.failedAt(what, error), halted: (partition, error) => metrics.halted(partition, error) },
  );
  const supply = leasedPartitions({
    url: config.DATABASE_URL,
    partitions: config.PARTITIONS,
    startAfter: (_consumer, lease) => scheduler.startAfter(lease),
    beside: (_consumer, { partition }, signal) => scheduler.trail(partition, signal),
    logger,
  });
  service.readiness.add('event-store', async () => void (await store.clock()));
  service.readiness.add('database', async () => void (await sql`SELECT 1`.execute(database)));
  service.readiness.add('partitions', () => {
    for (const [partition, reason] of scheduler.halted) throw new Error(`partition ${partition} halted: ${reason}`);
  });
  service.onStop(() => store.close());
  service.onStop(() => bus.close());
  service.onStop(() => database.destroy());
  service.onStop(() => reads.destroy());
  service.onStop(() => scheduler.stop());
  scheduler.start((follow, signal) => supply(CONSUMER, follow, signal));
  return service;
};
