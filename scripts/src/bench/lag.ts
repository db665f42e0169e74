import { setTimeout as delay } from 'node:timers/promises';
import type { Checkpoints } from './checkpoints.ts';
import { BODY_EVENTS, bodies, sendAll } from './load.ts';
import type { RunningSystem } from './system.ts';

const SECONDS = 10;
/** The resolution: how often the checkpoint is looked at. */
const POLL_MS = 2;

export type Lag = Readonly<{
  /** Milliseconds from each 202 until the balances show its events. */
  lagsMs: readonly number[];
  /** What was really sent, events per second. */
  rate: number;
}>;

/** How late balances are while so many events per second come in, for ten seconds. */
export const lagAt = async (system: RunningSystem, checkpoints: Checkpoints, tenant: string, rate: number): Promise<Lag> => {
  const waiting: { partition: number; position: number; at: number }[] = [];
  const lagsMs: number[] = [];
  let sending = true;
  const watch = async (): Promise<void> => {
    while (sending || waiting.length > 0) {
      const reached = await checkpoints.of('budget');
      const now = performance.now();
      for (let index = waiting.length - 1; index >= 0; index -= 1) {
        const entry = waiting[index];
        if (entry === undefined || entry.position > (reached.get(entry.partition) ?? 0)) continue;
        lagsMs.push(now - entry.at);
        waiting.splice(index, 1);
      }
      await delay(POLL_MS);
    }
  };
  const payload = bodies(`lag-${Math.round(rate)}`, rate * SECONDS, [tenant]);
  const startedAt = performance.now();
  const sent = sendAll(system, payload, rate, (partition, position, at) => waiting.push({ partition, position, at })).finally(() => {
    sending = false;
  });
  const watching = watch();
  await sent;
  const seconds = (performance.now() - startedAt) / 1000;
  await watching;
  return { lagsMs, rate: (payload.length * BODY_EVENTS) / seconds };
};
