import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { Pool } from 'undici';
import { cpuMicros } from './cpu.ts';
import type { BenchRow } from './row.ts';
import type { RunningSystem } from './system.ts';

const TENANT = 'bench';
const EVENTS = 60_000;
const BODY_EVENTS = 100;
const CONNECTIONS = 8;
const LAG_SECONDS = 10;

/**
 * Usage over HTTP in 100-event bodies until every balance has it: all processes, one tenant (one partition, one loop), three levels,
 * 25 budgets. Then the lag from the 202 to the balance at half of that rate, and the CPU of each process per event.
 */
export const benchIngest = async (system: RunningSystem, copyLimit: number): Promise<readonly BenchRow[]> => {
  const database = new Client({ connectionString: system.databaseUrl });
  await database.connect();
  const pool = new Pool(system.ingestionUrl, { connections: CONNECTIONS, pipelining: 1 });
  try {
    await setUp(system);
    await sendAll(pool, system, bodies('warm', 5_000), null);
    await caughtUp(database, 5_000);

    const payload = bodies('load', EVENTS);
    const before = cpuOf(system);
    const startedAt = performance.now();
    const accepted = await sendAll(pool, system, payload, null);
    const ingested = (performance.now() - startedAt) / 1000;
    await visible(database, accepted.last);
    const elapsed = (performance.now() - startedAt) / 1000;
    const cpu = differences(before, cpuOf(system));

    const sustained = EVENTS / elapsed;
    const lags = await lagAtHalf(pool, system, database, sustained / 2);
    const percentile = (share: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? Number.NaN;
    return [
      {
        name: 'durable ingest over HTTP, 100-event bodies',
        value: EVENTS / ingested,
        unit: 'events/s',
        limitName: 'COPY',
        limit: copyLimit,
        ratio: EVENTS / ingested / copyLimit,
      },
      {
        name: 'ingest to balance, all processes, 100-event bodies',
        value: sustained,
        unit: 'events/s',
        limitName: 'COPY',
        limit: copyLimit,
        ratio: sustained / copyLimit,
        floor: 0.15,
        goal: 0.25,
      },
      { name: 'accepted → balance at half load, p50', value: percentile(0.5), unit: 'ms' },
      { name: 'accepted → balance at half load, p99', value: percentile(0.99), unit: 'ms', floor: 150, lowerIsBetter: true },
      ...cpu.map(([name, micros]): BenchRow => ({ name: `CPU of ${name} at full load`, value: micros / EVENTS, unit: 'µs/event' })),
    ];
  } finally {
    await pool.close();
    await database.end();
  }
};

const headers = (system: RunningSystem): Record<string, string> => ({
  authorization: `Bearer ${system.adminApiKey}`,
  'bursar-tenant': TENANT,
  'content-type': 'application/json',
});

const setUp = async (system: RunningSystem): Promise<void> => {
  const post = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${system.apiUrl}/api/v1${path}`, {
      method: 'POST',
      headers: headers(system),
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`POST ${path}: HTTP ${response.status} ${await response.text()}`);
  };
  const period = { kind: 'monthly', timezone: 'UTC' };
  const limit = { amount: '1000000', currency: 'USD' };
  await post('/scopes', { type: 'organization', id: 'acme' });
  await post('/budgets', { name: 'acme', scope: 'organization:acme', limit, period });
  for (let team = 0; team < 4; team += 1) {
    await post('/scopes', { type: 'team', id: `t${team}`, parents: ['organization:acme'] });
    await post('/budgets', { name: `t${team}`, scope: `team:t${team}`, limit, period });
  }
  for (let user = 0; user < 20; user += 1) {
    await post('/scopes', { type: 'user', id: `u${user}`, parents: [`team:t${user % 4}`] });
    await post('/budgets', { name: `u${user}`, scope: `user:u${user}`, limit, period });
  }
};

/** Ready bodies, so that the load generator only writes sockets while the clock runs. */
const bodies = (run: string, events: number): string[] => {
  const occurredAt = new Date().toISOString();
  return Array.from({ length: events / BODY_EVENTS }, (_, body) =>
    JSON.stringify({
      events: Array.from({ length: BODY_EVENTS }, (_, index) => {
        const n = body * BODY_EVENTS + index;
        return {
          id: `${run}-${n}`,
          source: 'bench',
          occurredAt,
          scopes: [`user:u${n % 20}`],
          meter: 'llm.tokens',
          cost: { amount: `0.00${(n % 89) + 10}`, currency: 'USD' },
          quantities: { inputTokens: String(1000 + (n % 700)), outputTokens: String(100 + (n % 70)) },
          dimensions: { provider: 'openai', model: n % 3 === 0 ? 'gpt-4o' : 'gpt-4o-mini', agent: 'content' },
        };
      }),
    }),
  );
};

type Sent = Readonly<{ last: number }>;
type OnAnswer = (position: number, at: number) => void;

const sendAll = async (
  pool: Pool,
  system: RunningSystem,
  payload: readonly string[],
  rate: number | null,
  onAnswer?: OnAnswer,
): Promise<Sent> => {
  let next = 0;
  let last = 0;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    for (let index = next++; index < payload.length; index = next++) {
      if (rate !== null) await delay(Math.max(0, startedAt + ((index * BODY_EVENTS) / rate) * 1000 - performance.now()));
      const response = await pool.request({ method: 'POST', path: '/api/v1/usage', headers: headers(system), body: payload[index] });
      const text = await response.body.text();
      if (response.statusCode !== 202 || text.includes('"rejected"'))
        throw new Error(`ingest answered ${response.statusCode} ${text.slice(0, 300)}`);
      const position = Number(String(response.headers['bursar-position']).split(':')[1]);
      last = Math.max(last, position);
      onAnswer?.(position, performance.now());
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return { last };
};

const checkpoint = async (database: Client): Promise<number> => {
  const { rows } = await database.query<{ position: string }>(
    `SELECT max(position) AS position FROM projection.checkpoint WHERE projection = 'budget'`,
  );
  return Number(rows[0]?.position ?? 0);
};

const visible = async (database: Client, position: number): Promise<void> => {
  while ((await checkpoint(database)) < position) await delay(2);
};

const caughtUp = async (database: Client, events: number): Promise<void> => {
  while ((await checkpoint(database)) < events) await delay(20);
};

const lagAtHalf = async (pool: Pool, system: RunningSystem, database: Client, rate: number): Promise<number[]> => {
  const waiting: { position: number; at: number }[] = [];
  const lags: number[] = [];
  let sending = true;
  const watch = async (): Promise<void> => {
    while (sending || waiting.length > 0) {
      const reached = await checkpoint(database);
      const now = performance.now();
      for (let index = waiting.length - 1; index >= 0; index -= 1) {
        const entry = waiting[index];
        if (entry === undefined || entry.position > reached) continue;
        lags.push(now - entry.at);
        waiting.splice(index, 1);
      }
      await delay(2);
    }
  };
  const watching = watch();
  const events = Math.floor((rate * LAG_SECONDS) / BODY_EVENTS) * BODY_EVENTS;
  await sendAll(pool, system, bodies('half', events), rate, (position, at) => waiting.push({ position, at }));
  sending = false;
  await watching;
  return lags.sort((a, b) => a - b);
};

const cpuOf = (system: RunningSystem): Map<string, number> => {
  const total = new Map<string, number>();
  for (const { name, pid } of [...system.services, ...system.infrastructure]) total.set(name, (total.get(name) ?? 0) + cpuMicros(pid));
  return total.set('load generator', cpuMicros(process.pid));
};

const differences = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): [string, number][] =>
  [...after].map(([name, used]) => [name, used - (before.get(name) ?? 0)]);
