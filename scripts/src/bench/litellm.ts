import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { Suite } from './suite.ts';
import { withSystem } from './system.ts';

const SECRET = 'bench-secret-of-this-run';
const RATE = 200;
const SECONDS = 15;
/** Not measured: connections, first compilations of six processes. What waited because of them is answered by then. */
const WARM_UP = 5 * RATE;
const CONNECTIONS = 16;
/** A batch of the log callback has so many records at most. */
const RECORDS = 512;
const BATCHES = 20;

const P50 = `litellm: webhook answer at ${RATE} requests/s, p50`;
const P95 = `litellm: webhook answer at ${RATE} requests/s, p95`;
const LOGS = `litellm: log callback, ${RECORDS}-record batches`;

/** How fast LiteLLM's proxy is answered: its budget webhook signed and durable, and its log callback with prompts in it. */
export const litellmSuite: Suite = {
  about: "LiteLLM's budget webhook at 200 requests/s, and its log callback",
  rows: [P50, P95, LOGS],
  ownSystem: true,
  run: (_system, emit) =>
    withSystem({ environment: { LITELLM_WEBHOOK_SECRET: SECRET } }, async ({ ingestionUrl }) => {
      const pool = new Pool(ingestionUrl, { connections: CONNECTIONS, pipelining: 1 });
      try {
        const times = (await notify(pool)).slice(WARM_UP);
        emit(milliseconds(P50, percentile(times, 0.5)), { ...milliseconds(P95, percentile(times, 0.95)), goal: 100, lowerIsBetter: true });
        emit({ name: LOGS, value: await logRecords(pool), unit: 'records/s' });
      } finally {
        await pool.close();
      }
    }),
};

const milliseconds = (name: string, value: number): BenchRow => ({ name, value, unit: 'ms' });

/** At an even rate whatever the answers take, from the moment each was due: a late one is not forgiven its waiting. */
const notify = async (pool: Pool): Promise<number[]> => {
  const count = WARM_UP + RATE * SECONDS;
  const startedAt = performance.now();
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const due = startedAt + (n / RATE) * 1_000;
      await delay(Math.max(0, due - performance.now()));
      const isSpend = n % 4 !== 0;
      const body = JSON.stringify({
        spend: 0.000_01 * (n + 1),
        max_budget: isSpend ? null : 10,
        token: `key-${n % 50}`,
        user_id: `bench-${n % 8}`,
        event: isSpend ? 'spend_tracked' : 'threshold_crossed',
        event_group: 'key',
        event_message: 'of the bench',
      });
      const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
      await send(pool, '/api/v1/budget-alerts', body, { 'x-litellm-signature': signature });
      return performance.now() - due;
    }),
  );
};

const logRecords = async (pool: Pool): Promise<number> => {
  const token = `bench.${createHmac('sha256', SECRET).update('litellm:bench').digest('hex')}`;
  const now = Date.now() / 1_000;
  const prompt = 'What does a budget owe to whoever keeps to it? '.repeat(40);
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    JSON.stringify(
      Array.from({ length: RECORDS }, (_, n) => ({
        id: `bench-${batch}-${n}`,
        call_type: 'acompletion',
        status: 'success',
        model: 'gpt-4o',
        custom_llm_provider: 'openai',
        startTime: now - 5,
        endTime: now - 4,
        response_cost: 0.1 + 0.2,
        prompt_tokens: 100,
        completion_tokens: 20,
        messages: [{ role: 'user', content: prompt }],
        metadata: { user_api_key_team_id: `t${n % 4}`, user_api_key_user_id: `u${n % 20}` },
      })),
    ),
  );
  const startedAt = performance.now();
  for (const batch of batches) await send(pool, '/api/v1/litellm/logs', batch, { authorization: `Bearer ${token}` });
  return (BATCHES * RECORDS) / ((performance.now() - startedAt) / 1_000);
};

const send = async (pool: Pool, path: string, body: string, headers: Record<string, string>): Promise<void> => {
  const answer = await pool.request({ method: 'POST', path, headers: { 'content-type': 'application/json', ...headers }, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 200 || text.includes('"problem"'))
    throw new Error(`${path} answered ${answer.statusCode} ${text.slice(0, 200)}`);
};
