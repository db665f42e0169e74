import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf } from '@bursar/contracts';
import { Pool } from 'undici';
import type { RunningSystem } from './system.ts';

export const BODY_EVENTS = 100;
const CONNECTIONS = 8;

/** A request ready to be sent, so that the load generator only writes sockets while the clock runs. */
type UsageBody = Readonly<{ tenant: string; text: string }>;
/** By partition. */
export type Positions = ReadonlyMap<number, number>;
type OnAnswer = (partition: number, position: number, at: number) => void;

/** So many tenants, each on a partition of its own. */
export const tenantsApart = (count: number, partitions: number): readonly string[] => {
  const found = new Map<number, string>();
  for (let n = 0; found.size < count; n += 1) {
    const partition = partitionOf(`bench${n}`, partitions);
    if (!found.has(partition)) found.set(partition, `bench${n}`);
  }
  return [...found.values()];
};

/** An organisation of 4 teams and 20 users, a monthly budget on each of the 25. */
export const setUpTenant = async (system: RunningSystem, tenant: string): Promise<void> => {
  const period = { kind: 'monthly', timezone: 'UTC' };
  const limit = { amount: '1000000', currency: 'USD' };
  const add = async (type: string, id: string, parents: readonly string[]): Promise<void> => {
    await post(system, tenant, '/scopes', { type, id, parents });
    await post(system, tenant, '/budgets', { name: id, scope: `${type}:${id}`, limit, period });
  };
  await add('organization', 'acme', []);
  for (let team = 0; team < 4; team += 1) await add('team', `t${team}`, ['organization:acme']);
  for (let user = 0; user < 20; user += 1) await add('user', `u${user}`, [`team:t${user % 4}`]);
};

export const addPrices = (system: RunningSystem, tenant: string): Promise<void> =>
  post(system, tenant, '/price-lists', { from: 'public-llm' });

const post = async (system: RunningSystem, tenant: string, path: string, body: unknown): Promise<void> => {
  const response = await fetch(`${system.apiUrl}/api/v1${path}`, {
    method: 'POST',
    headers: headers(system, tenant),
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`POST ${path}: HTTP ${response.status} ${await response.text()}`);
};

/** Usage of 20 users in 100-event bodies: with its cost, or with tokens that the price list turns into cost. */
export const bodies = (run: string, events: number, tenants: readonly string[], rated = false): readonly UsageBody[] => {
  const occurredAt = new Date().toISOString();
  const event = (n: number) => ({
    id: `${run}-${n}`,
    source: 'bench',
    occurredAt,
    scopes: [`user:u${n % 20}`],
    meter: 'llm.tokens',
    ...(rated ? {} : { cost: { amount: `0.00${(n % 89) + 10}`, currency: 'USD' } }),
    quantities: { inputTokens: String(1000 + (n % 700)), outputTokens: String(100 + (n % 70)) },
    dimensions: { provider: 'openai', model: n % 3 === 0 ? 'gpt-4o' : 'gpt-4o-mini', agent: 'content' },
  });
  return Array.from({ length: Math.floor(events / BODY_EVENTS) }, (_, body) => ({
    tenant: tenants[body % tenants.length] ?? '',
    text: JSON.stringify({ events: Array.from({ length: BODY_EVENTS }, (_, index) => event(body * BODY_EVENTS + index)) }),
  }));
};

/** Sends every body over 8 connections, as fast as they are answered or at `rate` events/s; where the last of each partition went. */
export const sendAll = async (
  system: RunningSystem,
  payload: readonly UsageBody[],
  rate: number | null = null,
  onAnswer?: OnAnswer,
): Promise<Positions> => {
  const pool = new Pool(system.ingestionUrl, { connections: CONNECTIONS, pipelining: 1 });
  const last = new Map<number, number>();
  let next = 0;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    for (let index = next++; ; index = next++) {
      const body = payload[index];
      if (body === undefined) return;
      if (rate !== null) await delay(Math.max(0, startedAt + ((index * BODY_EVENTS) / rate) * 1000 - performance.now()));
      const answer = await pool.request({ method: 'POST', path: '/api/v1/usage', headers: headers(system, body.tenant), body: body.text });
      const text = await answer.body.text();
      if (answer.statusCode !== 202 || text.includes('"rejected"'))
        throw new Error(`ingest answered ${answer.statusCode} ${text.slice(0, 300)}`);
      const [partition, position] = String(answer.headers['bursar-position']).split(':').map(Number);
      if (partition === undefined || position === undefined) throw new Error('an answer without Bursar-Position');
      last.set(partition, Math.max(position, last.get(partition) ?? 0));
      onAnswer?.(partition, position, performance.now());
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    return last;
  } finally {
    await pool.close();
  }
};

const headers = (system: RunningSystem, tenant: string): Record<string, string> => ({
  authorization: `Bearer ${system.adminApiKey}`,
  'bursar-tenant': tenant,
  'content-type': 'application/json',
});
