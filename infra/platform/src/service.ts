import type { Route } from '@bursar/contracts/http';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { AdminKey, type Authenticator } from './auth/authenticator.js';
import { RateLimit } from './auth/rate-limit.js';
import type { ServiceEnv } from './config.js';
import { BodyBudget } from './http/body-budget.js';
import { mediaTypesBy, registerUnbuilt, rowsBy } from './http/contract-routes.js';
import { Deadlines } from './http/deadlines.js';
import type { Exchange, ShortRoute } from './http/exchange.js';
import { fastifyOptions } from './http/fastify-options.js';
import { DEFAULT_LIMITS, type Limits } from './http/limits.js';
import { Problem } from './http/problem.js';
import { ProblemFilter } from './http/problem-filter.js';
import { installGate, pathOf } from './http/request-hooks.js';
import { RouteIndex } from './http/route-index.js';
import { ShortGate } from './http/short-gate.js';
import { ShortWay } from './http/short-way.js';
import { SilentConnections } from './http/silent-connections.js';
import { noteAnswered } from './http/transport-errors.js';
import { livez, readyz } from './ops/health.js';
import { LoopLag } from './ops/load.js';
import { createLogger, type Logger, NestLog } from './ops/logger.js';
import { Metrics } from './ops/metrics.js';
import { OpsListener } from './ops/ops-listener.js';
import { Readiness } from './ops/readiness.js';
import { platformModule } from './platform.module.js';

export type ServiceOptions = Readonly<{
  name: string;
  /** The service's root module. It may inject {@link Logger}, {@link Readiness} and {@link Metrics}. */
  module: Type | DynamicModule;
  config: ServiceEnv;
  logger?: Logger;
  /** Default: the admin key alone. */
  authenticator?: Authenticator;
  /** Rows of the contract's table that this process answers. Those not built are registered here, to answer 501; bodies are judged by all. */
  routes?: readonly Route[];
  limits?: Partial<Limits>;
  /** Paths that answer without credentials, beside health. */
  openPaths?: readonly string[];
  /** Calls that go around the pipeline when there is nothing about them but the admin key and a small JSON body. */
  shortRoutes?: readonly ShortRoute[];
  /** Routes that are no Nest controllers: what is passed on to another service, documents. They pass the same gate. */
  extend?: (fastify: FastifyInstance) => void;
}>;

const IDLE_SWEEP_MS = 25;

/** Fastify's errors go to our filter from the first route on. Nest would take them over, but only for routes registered after its own. */
class OneFilterAdapter extends FastifyAdapter {
  override setErrorHandler(): ReturnType<FastifyAdapter['setErrorHandler']> {
    return this.getInstance() as unknown as ReturnType<FastifyAdapter['setErrorHandler']>;
  }
}

/** A booted service: routes are registered and hooks have run, nothing listens yet. */
export type Service = Readonly<{
  app: NestFastifyApplication;
  logger: Logger;
  readiness: Readiness;
  metrics: Metrics;
  /** Listens on PORT, and on OPS_PORT when there is one. */
  start(): Promise<Readonly<{ url: string; opsUrl: string | null }>>;
  /** Not ready, drain what is in flight, run Nest's shutdown hooks, then what {@link onStop} was given, last one first. */
  stop(): Promise<void>;
  onStop(release: () => Promise<void> | void): void;
}>;

export const createService = async (options: ServiceOptions): Promise<Service> => {
  const { name, config } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const logger = options.logger ?? createLogger(name, config.LOG_LEVEL);
  const lag = new LoopLag();
  const metrics = new Metrics(name, () => lag.ms);
  const readiness = new Readiness();
  const routes = new RouteIndex();
  const filter = new ProblemFilter(logger, routes);

  const adapter = new OneFilterAdapter(fastifyOptions(filter, limits));
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  fastify.setErrorHandler((error, request, reply) => filter.answer(error, request, reply));
  fastify.server.maxConnections = limits.connections;
  const silent = new SilentConnections(fastify.server);
  const rowOf = rowsBy(options.routes ?? []);
  fastify.addHook('onRoute', (route) => {
    routes.add(route.method, route.url);
    const bodyBytes = typeof route.method === 'string' ? rowOf(route.method, route.url)?.bodyBytes : undefined;
    if (bodyBytes !== undefined) route.bodyLimit = bodyBytes;
  });
  const deadlines = new Deadlines<FastifyReply>(limits.handlerTimeoutMs, (reply) => {
    // A stream that has begun, and a connection that is gone, are nobody's to answer.
    if (!reply.sent && !reply.raw.headersSent && !reply.raw.destroyed) filter.answer(new Problem('timed_out'), reply.request, reply);
  });
  fastify.addHook('onRequest', (_request, reply, done) => {
    deadlines.begin(reply);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    deadlines.end(reply);
    noteAnswered(request.raw.socket);
    metrics.requests.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
    done();
  });
  const adminKey = new AdminKey(config.BURSAR_ADMIN_KEY);
  const bodyBudget = new BodyBudget(limits.bodiesBytes, (method, pattern) => rowOf(method, pattern)?.bodyBytes ?? limits.bodyBytes);
  const isLate = (): boolean => lag.ms > limits.loopLagMs;
  const open = new Set(['/livez', '/readyz', ...(options.openPaths ?? [])]);
  installGate(fastify, {
    authenticator: options.authenticator ?? adminKey,
    rateLimit: new RateLimit(),
    isLate,
    onShed: () => metrics.shed.inc(),
    isOpen: (path) => open.has(pathOf(path)),
    mediaTypesOf: mediaTypesBy(options.routes ?? []),
    bodyBudget,
    isOwn: (method, pattern) => rowOf(method, pattern)?.access === 'own',
  });
  registerHealth(fastify, readiness);
  registerUnbuilt(fastify, options.routes ?? []);
  options.extend?.(fastify);

  const root = platformModule(options.module, { logger, metrics, readiness });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLog(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(filter);
  await app.init();
  await fastify.ready();
  const shortDeadlines = new Deadlines<Exchange>(limits.handlerTimeoutMs, (exchange) => exchange.fail(new Problem('timed_out')));
  // Other credentials than the admin key's may be revoked, limited, or asked of a database: all that is the gate's.
  const isShort = options.authenticator === undefined && options.shortRoutes !== undefined;
  const shortWay = new ShortWay(
    new ShortGate(options.shortRoutes ?? [], {
      adminKey,
      bodyBudget,
      isClosed: () => readiness.isStopping || isLate(),
      bodyBytes: limits.bodyBytes,
    }),
    {
      bodyBudget,
      keepAliveMs: limits.keepAliveMs,
      deadlines: shortDeadlines,
      problemOf: (error, request) => filter.problemOf(error, request),
      observe: (method, route, status, seconds) => metrics.requests.observe({ method, route, status }, seconds),
    },
  );
  if (isShort) shortWay.install(fastify.server);
  const close = (): void => {
    lag.close();
    deadlines.close();
    shortDeadlines.close();
    shortWay.close();
  };
  const closeIdle = (): void => {
    fastify.server.closeIdleConnections();
    silent.close();
    shortWay.closeIdleConnections();
  };
  const hangUp = (): void => {
    fastify.server.closeAllConnections();
    shortWay.closeAllConnections();
  };
  const hangUpMs = limits.requestTimeoutMs + limits.handlerTimeoutMs;
  return lifecycle(app, { logger, metrics, readiness, closeIdle, hangUp, hangUpMs, close, config });
};

const registerHealth = (fastify: FastifyInstance, readiness: Readiness): void => {
  fastify.get('/livez', (_request, reply) => {
    const { status, body } = livez();
    return reply.code(status).header('content-type', 'application/json').send(body);
  });
  fastify.get('/readyz', async (_request, reply) => {
    const { status, body } = await readyz(readiness);
    return reply.code(status).header('content-type', 'application/json').send(body);
  });
};

type Parts = Readonly<{
  logger: Logger;
  metrics: Metrics;
  readiness: Readiness;
  closeIdle: () => void;
  hangUp: () => void;
  /** So long after the stop every request that had begun is answered, or its client has stalled. */
  hangUpMs: number;
  close: () => void;
  config: ServiceEnv;
}>;

const lifecycle = (app: NestFastifyApplication, parts: Parts): Service => {
  const { logger, metrics, readiness, closeIdle, hangUp, hangUpMs, close, config } = parts;
  const releases: (() => Promise<void> | void)[] = [];
  let ops: OpsListener | null = null;
  let stopped: Promise<void> | null = null;

  const stop = async (): Promise<void> => {
    readiness.stop();
    // A connection whose last answer went out after the server closed would be kept alive, and waited for, to no end.
    const idle = setInterval(closeIdle, IDLE_SWEEP_MS);
    const late = setTimeout(hangUp, hangUpMs);
    await app.close().finally(() => {
      clearInterval(idle);
      clearTimeout(late);
    });
    for (const release of releases.reverse()) await release();
    await ops?.close();
    close();
  };

  return {
    app,
    logger,
    readiness,
    metrics,
    onStop: (release) => {
      releases.push(release);
    },
    start: async () => {
      await app.listen(config.PORT, config.HOST);
      let opsUrl: string | null = null;
      if (config.OPS_PORT !== undefined) {
        ops = new OpsListener(metrics, readiness);
        opsUrl = await ops.listen(config.HOST, config.OPS_PORT);
      }
      const url = await app.getUrl();
      logger.info({ url, opsUrl }, 'listening');
      return { url, opsUrl };
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
};
