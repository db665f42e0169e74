import { setTimeout as delay } from 'node:timers/promises';
import { type CallerFigures, callers } from '../append-ours.ts';
import { type HttpAnswer, HttpLine, requestBytes } from './http-line.ts';
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

/** A closed loop of 64 callers, each on a connection of its own. */
export const httpCallers = (url: string, appends: number, call: HttpCall): Promise<CallerFigures> =>
  using(url, (send) => callers({ appends, callers: CALLERS, warmUp: WARM_UP }, () => send(call)));

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
  const lines = await Promise.all(Array.from({ length: CALLERS }, () => HttpLine.open(url)));
  const idle = [...lines];
  const waiting: ((line: HttpLine) => void)[] = [];
  const bytes = new Map<HttpCall, Buffer>();
  const ask = async (call: HttpCall): Promise<HttpAnswer> => {
    const request = bytes.get(call) ?? requestBytes(url, call);
    bytes.set(call, request);
    const line = idle.pop() ?? (await new Promise<HttpLine>((resolve) => waiting.push(resolve)));
    try {
      return await line.send(request);
    } finally {
      const next = waiting.shift();
      if (next === undefined) idle.push(line);
      else next(line);
    }
  };
  try {
    return await work(async (call) => {
      const { method, path, expects } = call;
      for (const until = performance.now() + PATIENCE_MS; ; await delay(AGAIN_MS)) {
        const { status, text } = await ask(call);
        if (status === expects) return;
        const isAskedAgain = status === 503 && performance.now() < until;
        if (!isAskedAgain) throw new Error(`${method} ${path}: HTTP ${status} ${text.slice(0, 200)}`);
      }
    });
  } finally {
    for (const line of lines) line.close();
  }
};
