import { createEventStore } from '@bursar/event-store';
import { smallEvent, usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';

/** Events per second of 500-event appends, on one or more partitions, from a few callers each: one commits, one waits. */
export const appendBatches = (serverUrl: string, options: { events: number; batch: number; partitions: number }): Promise<number> =>
  inFreshDatabase(serverUrl, async (url) => {
    const { batch, partitions } = options;
    const store = await createEventStore(url, { partitions });
    try {
      const events = usageEvents('ours', options.events);
      const units = Array.from({ length: events.length / batch }, (_, n) => events.slice(n * batch, (n + 1) * batch));
      let next = 0;
      const caller = async (partition: number): Promise<void> => {
        for (let unit = units[next++]; unit !== undefined; unit = units[next++]) {
          await store.append({ partition, stream: `usage-bench-${partition}`, events: unit, expectedRevision: 'any' });
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: partitions * CALLERS_PER_PARTITION }, (_, n) => caller(n % partitions)));
      return events.length / ((performance.now() - startedAt) / 1000);
    } finally {
      await store.close();
    }
  });

const CALLERS_PER_PARTITION = 2;

export type CallerFigures = Readonly<{ perSecond: number; latenciesMs: readonly number[] }>;

/** Single-event appends from so many callers at once on one partition, each on its own stream or all on one. */
export const appendSingles = (serverUrl: string, options: { appends: number; callers: number; hot: boolean }): Promise<CallerFigures> =>
  inFreshDatabase(serverUrl, async (url) => {
    const store = await createEventStore(url, { partitions: 1 });
    try {
      const append = (caller: number, n: number) =>
        store.append({
          partition: 0,
          stream: options.hot ? 'hot' : `stream-${caller}`,
          events: [smallEvent(`${caller}/${n}`)],
          expectedRevision: 'any',
        });
      return await callers(options, append);
    } finally {
      await store.close();
    }
  });

/** A closed loop: every caller sends its next append when its last one was answered. `warmUp`: so many are sent first, untimed; default a tenth more. */
export const callers = async (
  options: { appends: number; callers: number; warmUp?: number },
  append: (caller: number, n: number) => Promise<unknown>,
): Promise<CallerFigures> => {
  const each = Math.ceil(options.appends / options.callers);
  const warmUp = options.warmUp === undefined ? Math.ceil(each / 10) : Math.ceil(options.warmUp / options.callers);
  const run = (from: number, to: number, latencies: number[]): Promise<unknown> =>
    Promise.all(
      Array.from({ length: options.callers }, async (_, caller) => {
        for (let n = from; n < to; n += 1) {
          const sentAt = performance.now();
          await append(caller, n);
          latencies.push(performance.now() - sentAt);
        }
      }),
    );
  await run(0, warmUp, []);
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  await run(warmUp, warmUp + each, latenciesMs);
  return { perSecond: (each * options.callers) / ((performance.now() - startedAt) / 1000), latenciesMs };
};
