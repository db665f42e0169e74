import autocannon from 'autocannon';
import type { CallerFigures } from '../append-ours.ts';
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
  await cannonade(url, { amount: WARM_UP }, call);
  return cannonade(url, { amount: calls }, call);
};

/** A call's time in milliseconds. */
export type AtRate = Readonly<{ p50: number; p99: number }>;

/** So many calls a second over 64 connections, however fast they are answered: a call that had to wait for its connection counts from when it was due. */
export const httpAtRate = async (url: string, rate: number, seconds: number, call: HttpCall): Promise<AtRate> => {
  const { latency } = await cannonade(url, { overallRate: Math.max(1, Math.round(rate)), duration: seconds }, call);
  return { p50: latency.p50, p99: latency.p99 };
};

type Until = Pick<autocannon.Options, 'amount' | 'overallRate' | 'duration'>;
type Shots = CallerFigures & Readonly<{ latency: autocannon.Histogram }>;

const cannonade = async (url: string, until: Until, { method, path, headers, body, expects }: HttpCall): Promise<Shots> => {
  const latenciesMs: number[] = [];
  // It ends with a second of its own clock, and not with the last answer.
  let [startedAt, answeredAt, others] = [performance.now(), 0, 0];
  const { latency, errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const options = { url: new URL(path, url).href, method, headers, connections: CALLERS, ...until, ...(body !== null && { body }) };
    const cannon = autocannon(options, (error, result) => (error == null ? resolve(result) : reject(error)));
    cannon.on('start', () => (startedAt = performance.now()));
    cannon.on('response', (_client, status, _bytes, ms) => {
      answeredAt = performance.now();
      latenciesMs.push(ms);
      if (status !== expects) others += 1;
    });
  });
  const calls = latenciesMs.length + errors;
  if (others + errors > calls * MOST_OTHERS)
    throw new Error(`${method} ${path}: ${others + errors} of ${calls} calls were not answered ${expects}`);
  return { perSecond: latenciesMs.length / ((answeredAt - startedAt) / 1_000), latenciesMs, latency };
};
