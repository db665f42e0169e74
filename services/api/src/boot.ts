import { connectBus } from '@bursar/bus';
import { ROUTES, type Service as ServiceName } from '@bursar/contracts/http';
import { createDatabase, createPool, IdempotencyKeys, migrate } from '@bursar/database';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { Outgoing } from '@bursar/outgoing';
import { AdminKey, createLogger, createService, type Logger, SecretBox, type Service } from '@bursar/platform';
import { sql } from 'kysely';
import { Docs } from './adapters/http/docs-routes.js';
import { IngestionIntake } from './adapters/http/ingestion-intake.js';
import { ProjectorChecks } from './adapters/http/projector-checks.js';
import { registerProxied, registerUnreachable } from './adapters/http/proxy-routes.js';
import { registerStream } from './adapters/http/stream-routes.js';
import { DECISION_PATIENCE, Upstream } from './adapters/http/upstream.js';
import { appModule } from './app.module.js';
import type { ApiEnv } from './config.js';
import { ChannelTargets } from './features/channel-targets.js';
import { LiveFeeds } from './features/live/live-feeds.js';

const DATABASE_CONNECTIONS = 10;
/** A handler has 8.8 s: nobody waits any more for what takes longer, and PostgreSQL is not to go on with it. */
const STATEMENT_TIMEOUT_MS = 8_000;
const FORGET_EVERY_MS = 600_000;
/** The composition root: everything real, wired, not yet listening. */
export const bootApi = async (config: ApiEnv): Promise<Service> => {
  const logger = createLogger('api', config.LOG_LEVEL);
  await migrate(config.DATABASE_URL);
  const store = await createEventStore(config.EVENT_STORE_URL, {
    partitions: config.PARTITIONS,
    name: 'api',
    warn: (message, error) => logger.warn({ err: error }, message),
  });
  const database = createDatabase(
    createPool(config.DATABASE_URL, { name: 'api', max: DATABASE_CONNECTIONS, statementTimeoutMs: STATEMENT_TIMEOUT_MS }),
  );
  const keys = new IdempotencyKeys(database);
  const upstreams = [
    { name: 'ingestion', urls: config.INGESTION_URL },
    { name: 'budget-projector', urls: config.PROJECTOR_URL },
    { name: 'alerting', urls: config.ALERTING_URL },
  ] as const satisfies readonly { name: ServiceName; urls: string | undefined }[];
  const opened = upstreams.map(({ name, urls }) => ({
    name,
    upstream: urls === undefined ? null : new Upstream(name, urls, isDecided(name) ? DECISION_PATIENCE : undefined),
  }));
  const upstreamOf = (wanted: ServiceName): Upstream | null => opened.find(({ name }) => name === wanted)?.upstream ?? null;
  const intake = new IngestionIntake(upstreamOf('ingestion'));
  const checks = new ProjectorChecks(upstreamOf('budget-projector'));
  const allowPrivate = config.WEBHOOK_ALLOW_PRIVATE_TARGETS === '1';
  const targets = new ChannelTargets(new Outgoing({ allowPrivate }), allowPrivate);
  const secrets = SecretBox.of(config.BURSAR_SECRET_KEY, config.BURSAR_ADMIN_KEY);
  const docs = new Docs();
  const feeds = new LiveFeeds(database, store.partitions, {
    trouble: (error) => logger.warn({ err: error }, 'the live streams could not be read'),
  });
  const authenticator = new AdminKey(config.BURSAR_ADMIN_KEY);

  const service = await createService({
    name: 'api',
    module: appModule({
      store,
      database,
      keys,
      partitions: store.partitions,
      secret: config.BURSAR_ADMIN_KEY,
      intake,
      checks,
      secrets,
      targets,
    }),
    config,
    logger,
    authenticator,
    // Passed on is built, as far as this process is concerned.
    routes: ROUTES.map((route) => (upstreams.some(({ name }) => name === route.service) ? { ...route, built: true } : route)),
    openPaths: docs.paths,
    extend: (fastify) => {
      docs.register(fastify, authenticator);
      registerStream(fastify, feeds);
      for (const { name, upstream } of opened) {
        if (upstream === null) registerUnreachable(fastify, name);
        else registerProxied(fastify, name, upstream, isDecided(name));
      }
    },
  });
  service.readiness.add('event-store', async () => void (await store.clock()));
  service.readiness.add('database', async () => void (await sql`SELECT 1`.execute(database)));
  service.onStop(() => store.close());
  service.onStop(() => database.destroy());
  for (const { upstream } of opened) service.onStop(() => upstream?.close());
  forgetOldAnswers(service, keys, logger);
  if (config.NATS_URL !== undefined) await startBus(service, store, config.NATS_URL, logger);
  return service;
};

/** Check, reserve, release: small bodies, and a caller who waits. */
const isDecided = (name: ServiceName): boolean => name === 'budget-projector';

/** Absent or broken, NATS takes nothing from commands: consumers read the store then. */
const startBus = async (service: Service, store: EventStore, url: string, logger: Logger): Promise<void> => {
  const bus = await connectBus({ url, name: 'api', logger });
  store.onAppended((range) => bus.publishRange(range));
  service.metrics.expose(() => bus.samples());
  service.readiness.add('bus', () => bus.ready());
  service.onStop(() => bus.close());
};

/** Answers are kept 24 h; past that a key begins anew anyway, so this only saves room. */
const forgetOldAnswers = (service: Service, keys: IdempotencyKeys, logger: Logger): void => {
  const timer = setInterval(() => {
    keys.forgetExpired().catch((error: unknown) => logger.warn({ err: error }, 'old answers could not be forgotten'));
  }, FORGET_EVERY_MS);
  timer.unref();
  service.onStop(() => clearInterval(timer));
};
