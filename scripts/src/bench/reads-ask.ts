import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { against, type BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { RunningSystem } from './system.ts';

export type Question = Readonly<{ method: 'GET' | 'POST'; path: string; body?: object }>;

const CONNECTIONS = 8;
/** How long each kind of read is asked, after warming up for the tenth of it. */
const MEASURE_MS = 4_000;
/** Asked one after the other. */
const LONG_READS = 5;
const AGAIN_MS = 100;
/** Whoever has no answer by then gives up: the row says so, and the next is measured. */
const GIVE_UP_MS = 60_000;
const GIVE_UP_LONG_MS = 600_000;

/** As often as 8 connections get the answer in 4 s; beside the rate of the smallest tenant. */
export const rateRow = (system: RunningSystem, tenant: string, name: string, path: string, smallest?: number): Promise<BenchRow> =>
  asRow(name, 'reads/s', async () => {
    const { times, elapsedMs } = await withAsker(system, tenant, async (ask) => {
      const read = (): Promise<void> => ask({ method: 'GET', path }, GIVE_UP_MS);
      await forAWhile(read, MEASURE_MS / 10);
      return forAWhile(read, MEASURE_MS);
    });
    const rate = (times.length / elapsedMs) * 1_000;
    const note = `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`;
    const row =
      smallest === undefined ? { name, value: rate, unit: 'reads/s' } : against(name, rate, 'reads/s', '1 budget, alone', smallest);
    return { ...row, note };
  });

/** The median of a few, one after the other. */
export const timeRow = (system: RunningSystem, tenant: string, name: string, question: Question): Promise<BenchRow> =>
  asRow(name, 'ms', async () => {
    const times: number[] = [];
    await withAsker(system, tenant, async (ask) => {
      for (let n = 0; n < LONG_READS; n += 1) {
        const before = performance.now();
        await ask(question, GIVE_UP_LONG_MS);
        times.push(performance.now() - before);
      }
    });
    const note = `first ${times[0]?.toFixed(0)} ms, longest ${Math.max(...times).toFixed(0)} ms`;
    return { name, value: percentile(times, 0.5), unit: 'ms', note };
  });

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

const asRow = (name: string, unit: string, measure: () => Promise<BenchRow>): Promise<BenchRow> =>
  measure().catch((error: unknown) => {
    if (error instanceof NoAnswerError) return { name, value: null, unit, note: error.message };
    throw error;
  });

type Ask = (question: Question, withinMs: number) => Promise<void>;

const withAsker = async <T>(system: RunningSystem, tenant: string, work: (ask: Ask) => Promise<T>): Promise<T> => {
  const pool = new Pool(system.apiUrl, { connections: CONNECTIONS, pipelining: 1, headersTimeout: GIVE_UP_MS });
  const headers = { authorization: `Bearer ${system.adminApiKey}`, 'bursar-tenant': tenant, 'content-type': 'application/json' };
  try {
    return await work(async ({ method, path, body }, withinMs) => {
      const request = { method, path: `/api/v1${path}`, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
      for (const begun = performance.now(); ; ) {
        const answer = await pool.request(request);
        const text = await answer.body.text();
        if (answer.statusCode === 200) return;
        // A busy api sends callers away for a while, and what takes long is asked for again: the wait is part of the time.
        if (answer.statusCode !== 503) throw new Error(`${method} ${path} answered ${answer.statusCode} ${text.slice(0, 300)}`);
        if (performance.now() - begun > withinMs) throw new NoAnswerError(`no answer within ${withinMs / 1_000} s: ${text.slice(0, 80)}`);
        await delay(AGAIN_MS);
      }
    });
  } finally {
    await pool.close();
  }
};

const forAWhile = async (read: () => Promise<void>, forMs: number) => {
  const times: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const before = performance.now();
      await read();
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return { times, elapsedMs: performance.now() - startedAt };
};
