import { budgetsSubject } from '@bursar/contracts/bus';
import type { CallerFigures } from '../append-ours.ts';
import { inTemporaryDirectory } from '../cleanup.ts';
import type { BenchRow } from '../row.ts';
import { median, percentile } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import type { RunningSystem } from '../system.ts';
import { growthRows, type InProcess, inProcess } from './growth.ts';
import { checkBody, type Hot, hotBudget, reservationBody } from './hot-budget.ts';
import { type HttpCall, httpAtRate, httpCallers, httpCapacity } from './http-load.ts';
import { type NatsCall, natsCallers } from './over-nats.ts';
import { CALLERS, postgresLimiter, redisReserves, withHttpPeer } from './peers.ts';
import { findRedis, withRedis } from './redis-server.ts';

const ROUNDS = 3;
const OURS = 128_000;
const REDIS = 128_000;
const LIMITER = 6_400;
const HTTP = 25_600;
const GETS = 25_600;
const AT_RATE_SECONDS = 3;
const LOADS = [0.1, 0.5, 0.9] as const;

const IN_PROCESS = `reserve in process, ${CALLERS} callers, one hot budget, 3 levels`;
const OVER_NATS = `reserve over NATS, own inbox, ${CALLERS} callers`;
const OVER_HTTP = `reserve over HTTP at the owner, ${CALLERS} callers`;
const LIMITED = 'reserve in process, beside a limiter on PostgreSQL';
const CHECK_IN_PROCESS = 'check in process, from memory';
const CHECK_NATS = `check over NATS, own inbox, ${CALLERS} callers`;
const CHECK_HTTP = `check over HTTP at the owner, ${CALLERS} callers`;
const p99 = (name: string): string => `${name}, p99`;
const atLoad = (load: number, share: string): string => `reserve over HTTP at ${load * 100} % of capacity, ${share}`;

/** The peers of one round, measured beside ours; null: no redis-server here. */
type Round = Readonly<{
  process: InProcess;
  nats: CallerFigures;
  http: CallerFigures;
  checkNats: CallerFigures;
  checkHttp: CallerFigures;
  bare: CallerFigures;
  redis: CallerFigures | null;
  unsafe: CallerFigures | null;
  redisHttp: CallerFigures | null;
  limiter: CallerFigures;
}>;

/**
 * Reservations on one hot budget under three levels, as fast as 64 callers are answered: by the owner's own desk in one process, over NATS and
 * over HTTP; beside Redis + Lua, which holds the same on three levels in one script. Every round measures ours and its peers one after the other;
 * a ratio is the median of the rounds'.
 */
export const reserveSuite: Suite = {
  about: 'reserve and check on one hot budget beside Redis + Lua, a PostgreSQL limiter and bare Fastify',
  rows: [
    IN_PROCESS,
    p99(IN_PROCESS),
    `${IN_PROCESS}, beside Redis without AOF`,
    OVER_NATS,
    OVER_HTTP,
    p99(OVER_HTTP),
    LIMITED,
    CHECK_IN_PROCESS,
    CHECK_NATS,
    CHECK_HTTP,
    ...LOADS.flatMap((load) => [atLoad(load, 'p50'), atLoad(load, 'p99')]),
  ],
  run: async (start, emit) => {
    const system = await start();
    const hot = await hotBudget(system, 'bench-hot');
    await inTemporaryDirectory(async (directory) => {
      const redis = reasonOr(() => findRedis(directory));
      const note = typeof redis === 'string' ? redis : undefined;
      const binary = typeof redis === 'string' ? null : redis;
      const rounds: Round[] = [];
      try {
        for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(system, hot, binary));
      } finally {
        // What whole rounds have measured stands, also where a later one ends early.
        if (rounds.length > 0) emit(...rowsOf(rounds, note));
      }
    });
    const capacity = await httpCapacity(hot.ownerUrl, HTTP, reserveCall(hot));
    for (const load of LOADS) {
      const { p50, p99: late } = await httpAtRate(hot.ownerUrl, capacity * load, AT_RATE_SECONDS, reserveCall(hot));
      const at = `${Math.round(capacity * load)} reserves/s`;
      emit(
        { name: atLoad(load, 'p50'), value: p50, unit: 'ms', note: at },
        { name: atLoad(load, 'p99'), value: late, unit: 'ms', note: at },
      );
    }
    await growthRows(system.eventStoreUrl, emit);
  },
};

const measure = async (system: RunningSystem, hot: Hot, redis: ReturnType<typeof findRedis> | null): Promise<Round> => {
  const peer: HttpCall = {
    method: 'POST',
    path: '/reserve',
    headers: { 'content-type': 'application/json' },
    body: reservationBody(hot.scope),
    expects: 201,
  };
  return {
    process: await inProcess(system.eventStoreUrl, { reserves: OURS }),
    redis: redis === null ? null : await withRedis(redis, 'always', (port) => redisReserves(port, REDIS)),
    unsafe: redis === null ? null : await withRedis(redis, 'no', (port) => redisReserves(port, REDIS)),
    nats: await natsCallers(system.natsUrl, HTTP, reserveOverNats(hot)),
    http: await httpCallers(hot.ownerUrl, HTTP, reserveCall(hot)),
    redisHttp:
      redis === null ? null : await withRedis(redis, 'always', (port) => withHttpPeer(port, (url) => httpCallers(url, HTTP, peer))),
    limiter: await postgresLimiter(system.eventStoreUrl, LIMITER),
    checkNats: await natsCallers(system.natsUrl, GETS, {
      subject: budgetsSubject(hot.tenant, 'check'),
      body: checkBody(hot.scope),
      expects: '"allowed":true',
    }),
    checkHttp: await httpCallers(hot.ownerUrl, GETS, {
      method: 'POST',
      path: '/api/v1/check',
      headers: hot.headers,
      body: checkBody(hot.scope),
      expects: 200,
    }),
    bare: await withHttpPeer(null, (url) => httpCallers(url, GETS, { method: 'GET', path: '/', headers: {}, body: null, expects: 200 })),
  };
};

const reserveCall = ({ headers, scope }: Hot): HttpCall => ({
  method: 'POST',
  path: '/api/v1/reservations',
  headers,
  body: reservationBody(scope),
  expects: 201,
});

const reserveOverNats = ({ tenant, scope }: Hot): NatsCall => ({
  subject: budgetsSubject(tenant, 'reserve'),
  body: reservationBody(scope),
  expects: '"status":"held"',
});

type Pick = (round: Round) => CallerFigures | null;

const rowsOf = (rounds: readonly Round[], note: string | undefined): readonly BenchRow[] => {
  const row = (name: string, of: Pick, peerName: string, peer: Pick, more: Partial<BenchRow>): BenchRow => ({
    name,
    unit: 'reserves/s',
    limitName: peerName,
    ...beside(rounds, of, peer, ({ perSecond }) => perSecond),
    ...(note !== undefined && peerName.includes('Redis') && { note }),
    ...more,
  });
  const latency = (name: string, of: Pick, peerName: string, peer: Pick, more: Partial<BenchRow>): BenchRow => ({
    ...row(name, of, peerName, peer, { unit: 'ms', lowerIsBetter: true, ...more }),
    ...beside(rounds, of, peer, ({ latenciesMs }) => percentile(latenciesMs, 0.99)),
  });
  const [ours, redis] = [({ process }: Round) => process.reserve, ({ redis: always }: Round) => always];
  return [
    row(IN_PROCESS, ours, 'Redis + Lua, AOF always', redis, { floor: 1.3, goal: 1.8 }),
    latency(p99(IN_PROCESS), ours, 'Redis + Lua, AOF always', redis, { floor: 1, goal: 0.7 }),
    row(`${IN_PROCESS}, beside Redis without AOF`, ours, 'Redis + Lua, no AOF', ({ unsafe }) => unsafe, { floor: 0.7, goal: 1 }),
    row(OVER_NATS, ({ nats }) => nats, 'Redis + Lua, AOF always', redis, { floor: 0.6, goal: 0.8 }),
    row(
      OVER_HTTP,
      ({ http }) => http,
      'HTTP + Redis + Lua, AOF always',
      ({ redisHttp }) => redisHttp,
      { floor: 0.9, goal: 1.2 },
    ),
    latency(
      p99(OVER_HTTP),
      ({ http }) => http,
      'HTTP + Redis + Lua, AOF always',
      ({ redisHttp }) => redisHttp,
      { floor: 1.2, goal: 0.9 },
    ),
    row(LIMITED, ours, 'rate-limiter-flexible, PostgreSQL, hot key', ({ limiter }) => limiter, { floor: 8, goal: 13 }),
    { name: CHECK_IN_PROCESS, value: median(rounds.map(({ process }) => process.checksPerSecond)), unit: 'checks/s' },
    { name: CHECK_NATS, value: median(rounds.map(({ checkNats }) => checkNats.perSecond)), unit: 'checks/s' },
    row(
      CHECK_HTTP,
      ({ checkHttp }) => checkHttp,
      'bare Fastify GET',
      ({ bare }) => bare,
      { unit: 'checks/s', floor: 0.5, goal: 0.7 },
    ),
  ];
};

const beside = (rounds: readonly Round[], of: Pick, peer: Pick, figure: (figures: CallerFigures) => number) => {
  const pairs = rounds.flatMap((round) => {
    const [ours, theirs] = [of(round), peer(round)];
    return ours === null ? [] : [{ ours: figure(ours), theirs: theirs === null ? null : figure(theirs) }];
  });
  const value = median(pairs.map(({ ours }) => ours));
  const both = pairs.flatMap(({ ours, theirs }) => (theirs === null ? [] : [{ ours, theirs }]));
  if (both.length === 0) return { value, limit: null, ratio: null };
  return { value, limit: median(both.map(({ theirs }) => theirs)), ratio: median(both.map(({ ours, theirs }) => ours / theirs)) };
};

/** One line that says why not. */
const reasonOr = <T>(find: () => T): T | string => {
  try {
    return find();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
