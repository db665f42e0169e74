import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Pool } from 'undici';
import type { CallerFigures } from '../append-ours.ts';
import { CALLERS, WARM_UP } from './peers.ts';

/** A 503 is asked again for so long, so often, and the call's time goes on meanwhile. A load does not mind one that was stored all the same. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 100;

export type HttpCall = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | null;
  expects: number;
}>;

/** Of all answers, at most so many may be others than expected: a partition may change its owner meanwhile. */
const MOST_OTHERS = 0.01;

/**
 * A closed loop of 64 callers, each on a connection of its own, by autocannon: the goals were measured with it, and what a generator takes of the cores is
 * part of every ratio.
 */
export const httpCallers = async (url: string, calls: number, call: HttpCall): Promise<CallerFigures> => {
  await cannonade(url, WARM_UP, call);
  return cannonade(url, calls, call);
};

const cannonade = async (url: string, amount: number, { method, path, headers, body, expects }: HttpCall): Promise<CallerFigures> => {
  const latenciesMs: number[] = [];
  // It ends with a second of its own clock, and not with the last answer.
  let [startedAt, answeredAt, others] = [performance.now(), 0, 0];
  await new Promise<void>((resolve, reject) => {
    const options = { url: new URL(path, url).href, method, headers, connections: CALLERS, amount, ...(body !== null && { body }) };
    const cannon = autocannon(options, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    cannon.on('start', () => (startedAt = performance.now()));
    cannon.on('response', (_client, status, _bytes, ms) => {
      answeredAt = performance.now();
      latenciesMs.push(ms);
      if (status !== expects) others += 1;
    });
  });
  if (others > amount * MOST_OTHERS) throw new Error(`${method} ${path}: ${others} of ${amount} answers were not ${expects}`);
  return { perSecond: latenciesMs.length / ((answeredAt - startedAt) / 1_000), latenciesMs };
};

/**
 * An open loop: so many calls a second, however fast they are answered, over at most 64 connections; a call's time counts from when it was due.
 * Ascending milliseconds.
 */
export const httpAtRate = (url: string, rate: number, seconds: number, call: HttpCall): Promise<readonly number[]> =>
  using(url, async (send) => {
    const count = Math.max(1, Math.round(rate * seconds));
    const latencies: number[] = [];
    const startedAt = performance.now();
    const pending: Promise<void>[] = [];
    for (let n = 0; n < count; n += 1) {
      const due = startedAt + (n / rate) * 1000;
      if (due > performance.now()) await delay(due - performance.now());
      pending.push(send(call).then(() => void latencies.push(performance.now() - due)));
    }
    await Promise.all(pending);
    return latencies.sort((a, b) => a - b);
  });

const using = async <T>(url: string, work: (send: (call: HttpCall) => Promise<void>) => Promise<T>): Promise<T> => {
  const pool = new Pool(url, { connections: CALLERS, pipelining: 1 });
  try {
    return await work(async ({ method, path, headers, body, expects }) => {
      for (const until = performance.now() + PATIENCE_MS; ; await delay(AGAIN_MS)) {
        const answer = await pool.request({ method, path, headers, body });
        const text = await answer.body.text();
        if (answer.statusCode === expects) return;
        const isAskedAgain = answer.statusCode === 503 && performance.now() < until;
        if (!isAskedAgain) throw new Error(`${method} ${path}: HTTP ${answer.statusCode} ${text.slice(0, 200)}`);
      }
    });
  } finally {
    await pool.close();
  }
};
