import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Pool } from 'undici';
import { type CallerFigures, callers } from '../append-ours.ts';
import { percentile } from '../statistics.ts';
import { CALLERS, WARM_UP } from './peers.ts';

export type HttpCall = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | null;
  expects: number;
}>;

/** Of all calls, at most so many may be answered otherwise than expected, or not at all: a partition may change its owner meanwhile. */
const MOST_OTHERS = 0.01;

/**
 * A closed loop of 64 callers, each on a connection of its own, by autocannon: the goals were measured with it, and what a generator takes of the cores is
 * part of every ratio.
 */
export const httpCallers = async (url: string, calls: number, call: HttpCall): Promise<CallerFigures> => {
  await cannonade(url, WARM_UP, call);
  return cannonade(url, calls, call);
};

/** So many calls a second are answered to 64 callers of the generator that {@link httpAtRate} sends with: autocannon takes half as much of the cores. */
export const httpCapacity = (url: string, calls: number, call: HttpCall): Promise<number> =>
  overPool(url, call, async (ask) => (await callers({ appends: calls, callers: CALLERS, warmUp: WARM_UP }, ask)).perSecond);

/** A call's time in milliseconds. */
export type AtRate = Readonly<{ p50: number; p99: number }>;

/** Before a call counts: connections are made, and the generator compiled. */
const FIRST_MS = 1_000;

/**
 * So many calls a second, to the millisecond one as long after the other, over 64 connections, however fast they are answered: a call that had to wait for its
 * connection, or a millisecond for its generator, counts from when it was due. The first second goes unmeasured. Not by autocannon: what it may send in a
 * second it sends at the begin of the second, as fast as it can.
 */
export const httpAtRate = (url: string, rate: number, seconds: number, call: HttpCall): Promise<AtRate> =>
  overPool(url, call, async (ask) => {
    const latenciesMs: number[] = [];
    const asked: Promise<void>[] = [];
    const startedAt = performance.now();
    const askWhen = async (due: number): Promise<void> => {
      const isExpected = await ask();
      if (isExpected && due > startedAt + FIRST_MS) latenciesMs.push(performance.now() - due);
    };
    for (const total = Math.max(1, Math.round(rate * (seconds + FIRST_MS / 1_000))); asked.length < total; await delay(1)) {
      const due = Math.min(total, Math.floor((rate * (performance.now() - startedAt)) / 1_000) + 1);
      while (asked.length < due) asked.push(askWhen(startedAt + (asked.length / rate) * 1_000));
    }
    await Promise.all(asked);
    return { p50: percentile(latenciesMs, 0.5), p99: percentile(latenciesMs, 0.99) };
  });

/** `ask`: was it answered as expected? Without the streams of undici's `request`, which would take a core of the two. */
const overPool = async <T>(url: string, call: HttpCall, work: (ask: () => Promise<boolean>) => Promise<T>): Promise<T> => {
  const { method, path, headers, body, expects } = call;
  const pool = new Pool(url, { connections: CALLERS, pipelining: 1, headersTimeout: 10_000 });
  let [asked, others] = [0, 0];
  const ask = (): Promise<boolean> =>
    new Promise((resolve) => {
      asked += 1;
      let status = 0;
      const answered = (isExpected: boolean): void => {
        if (!isExpected) others += 1;
        resolve(isExpected);
      };
      pool.dispatch(
        { method, path, headers, body },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_, code) => (status = code),
          onResponseData: () => undefined,
          onResponseEnd: () => answered(status === expects),
          onResponseError: () => answered(false),
        },
      );
    });
  try {
    const result = await work(ask);
    mostlyExpected(call, others, asked);
    return result;
  } finally {
    await pool.destroy();
  }
};

const cannonade = async (url: string, amount: number, call: HttpCall): Promise<CallerFigures> => {
  const { method, path, headers, body, expects } = call;
  const latenciesMs: number[] = [];
  // It ends with a second of its own clock, and not with the last answer.
  let [startedAt, answeredAt, others] = [performance.now(), 0, 0];
  const { errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const options = { url: new URL(path, url).href, method, headers, connections: CALLERS, amount, ...(body !== null && { body }) };
    const cannon = autocannon(options, (error, result) => (error == null ? resolve(result) : reject(error)));
    cannon.on('start', () => (startedAt = performance.now()));
    cannon.on('response', (_client, status, _bytes, ms) => {
      answeredAt = performance.now();
      latenciesMs.push(ms);
      if (status !== expects) others += 1;
    });
  });
  mostlyExpected(call, others + errors, latenciesMs.length + errors);
  return { perSecond: latenciesMs.length / ((answeredAt - startedAt) / 1_000), latenciesMs };
};

const mostlyExpected = ({ method, path, expects }: HttpCall, others: number, calls: number): void => {
  if (others > calls * MOST_OTHERS) throw new Error(`${method} ${path}: ${others} of ${calls} calls were not answered ${expects}`);
};
