import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { Checkpoints } from './checkpoints.ts';
import { tenantsApart } from './load.ts';
import { LedgerWriter } from './reads-data.ts';
import { against, type BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { Suite } from './suite.ts';
import { type RunningSystem, withSystem } from './system.ts';

/** What `scripts/up` gives the services. */
const PARTITIONS = 16;
const CONNECTIONS = 8;
/** How long each kind of read is asked, after as many seconds of warming up as the tenth of it. */
const MEASURE_MS = 4_000;
/** Asked one after the other. */
const LONG_READS = 5;
const AGAIN_MS = 100;

const FIRST = 1;
const SECOND = 1_000;
const status = (budgets: number | string): string => `status, a tenant of ${shown(budgets)} budgets`;
const hierarchy = (budgets: number | string): string => `hierarchy from the root, a tenant of ${shown(budgets)} budgets`;
const shown = (count: number | string): string => (typeof count === 'number' ? count.toLocaleString('en') : count);
const OTHERS = 'status, a tenant of 1 budget beside all the others';

/**
 * Questions over HTTP at the api, 8 connections: how their cost grows with the budgets of a tenant, with other tenants, and with events.
 * All of it is in one system with data on disk; sizes by `--budgets` and `--events`.
 */
export const readsSuite: Suite = {
  about: 'status and hierarchy with 1, 1,000 and 100,000 budgets; breakdown and as-of over 1 M events (--budgets, --events)',
  rows: [status(FIRST), status(SECOND), hierarchy(FIRST), hierarchy(SECOND), OTHERS],
  ownSystem: true,
  run: (_shared, emit, sizes) => withSystem({}, (system) => measureAll(system, emit, sizes)),
};

const measureAll: (
  system: RunningSystem,
  emit: (...rows: readonly BenchRow[]) => void,
  sizes: Readonly<{ budgets: number; events: number }>,
) => Promise<void> = async (system, emit, sizes) => {
  const tenants = tenantsApart(4, PARTITIONS);
  const counts = [FIRST, SECOND, sizes.budgets];
  const small = new Map<string, number>();
  await LedgerWriter.using(system, (writer) =>
    Checkpoints.using(system.databaseUrl, async (checkpoints) => {
      const settled = async (): Promise<void> => {
        await checkpoints.reach('budget', writer.positions, 50);
        await checkpoints.reach('breakdown', writer.positions, 50);
        await checkpoints.counted(50);
      };
      const ids: string[] = [];
      for (const [index, count] of counts.entries()) {
        const tenant = tenants[index] ?? '';
        ids.push(await writer.tenant(tenant, count));
        await writer.usage(tenant, 2_000);
        await settled();
        const paths = { status: `/budgets/${ids[index]}/status`, hierarchy: '/budgets/hierarchy/organization/acme' };
        for (const [kind, name] of [
          ['status', status(count)],
          ['hierarchy', hierarchy(count)],
        ] as const) {
          const row = await readRow(system, tenant, name, paths[kind], small.get(kind));
          small.set(kind, small.get(kind) ?? row.value ?? 1);
          emit(row);
        }
      }
      emit(await readRow(system, tenants[0] ?? '', OTHERS, `/budgets/${ids[0]}/status`, small.get('status')));

      const busy = tenants[3] ?? '';
      const id = await writer.tenant(busy, 20);
      await writer.usage(busy, sizes.events);
      await settled();
      const past = positionOf(writer, busy, sizes.events);
      const events = `${sizes.events.toLocaleString('en')} events`;
      emit(
        await longRow(
          system,
          busy,
          `breakdown by model and hour, ${events}`,
          '/scopes/organization/acme/usage/breakdown?by=model&granularity=hour',
        ),
        await longRow(system, busy, `budget's breakdown by campaign, ${events}`, `/budgets/${id}/usage/breakdown?by=campaign`),
        await longRow(system, busy, `status as of a position, ${events} before it`, `/budgets/${id}/status?asOf=${past.last}`),
        await longRow(system, busy, `status as of a position, half of ${events} before it`, `/budgets/${id}/status?asOf=${past.middle}`),
        await longRow(
          system,
          busy,
          `hierarchy as of a position, ${events} before it`,
          `/budgets/hierarchy/organization/acme?asOf=${past.last}`,
        ),
      );
    }),
  );
};

const positionOf = (writer: LedgerWriter, tenant: string, events: number): Readonly<{ last: string; middle: string }> => {
  const [partition, last] = [...writer.positions].find(([at]) => at === writer.partitionOf(tenant)) ?? [0, 0];
  return { last: `${partition}:${last}`, middle: `${partition}:${last - Math.floor(events / 2)}` };
};

const withReader = async <T>(
  system: RunningSystem,
  tenant: string,
  work: (read: (path: string) => Promise<void>) => Promise<T>,
): Promise<T> => {
  const pool = new Pool(system.apiUrl, { connections: CONNECTIONS, pipelining: 1, headersTimeout: 60_000 });
  const headers = { authorization: `Bearer ${system.adminApiKey}`, 'bursar-tenant': tenant };
  try {
    return await work(async (path) => {
      let answer = await pool.request({ method: 'GET', path: `/api/v1${path}`, headers });
      // A busy api sends callers away for a while, and what takes long is asked for again: the wait is part of the time.
      while (answer.statusCode === 503) {
        await answer.body.dump();
        await delay(AGAIN_MS);
        answer = await pool.request({ method: 'GET', path: `/api/v1${path}`, headers });
      }
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`GET ${path} answered ${answer.statusCode} ${text.slice(0, 300)}`);
    });
  } finally {
    await pool.close();
  }
};

/** As often as 8 connections get it in 4 s; beside the rate of the smallest tenant. */
const readRow = (system: RunningSystem, tenant: string, name: string, path: string, smallest: number | undefined): Promise<BenchRow> =>
  withReader(system, tenant, async (read) => {
    await forAWhile(read, path, MEASURE_MS / 10);
    const { times, elapsedMs } = await forAWhile(read, path, MEASURE_MS);
    const rate = (times.length / elapsedMs) * 1_000;
    const note = `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`;
    const row =
      smallest === undefined ? { name, value: rate, unit: 'reads/s' } : against(name, rate, 'reads/s', '1 budget, alone', smallest);
    return { ...row, note };
  });

const forAWhile = async (read: (path: string) => Promise<void>, path: string, forMs: number) => {
  const times: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const before = performance.now();
      await read(path);
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return { times, elapsedMs: performance.now() - startedAt };
};

const longRow = (system: RunningSystem, tenant: string, name: string, path: string): Promise<BenchRow> =>
  withReader(system, tenant, async (read) => {
    const times: number[] = [];
    for (let n = 0; n < LONG_READS; n += 1) {
      const before = performance.now();
      await read(path);
      times.push(performance.now() - before);
    }
    return {
      name,
      value: percentile(times, 0.5),
      unit: 'ms',
      note: `first ${times[0]?.toFixed(0)} ms, longest ${Math.max(...times).toFixed(0)} ms`,
    };
  });
