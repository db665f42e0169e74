import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Pool } from 'undici';
import { Checkpoints } from './checkpoints.ts';
import { cpuMicros } from './cpu.ts';
import { LedgerWriter } from './reads-data.ts';
import type { BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { Suite } from './suite.ts';
import { type RunningSystem, withSystem } from './system.ts';

/** Budgets of one tenant, and tenants written at the same time. */
const PER_TENANT = 200;
const TENANTS_TOGETHER = 16;
/** All have to be in the tables when their period ends: so long before it they are begun, and so many a second are expected. */
const MARGIN_MS = 45_000;
const LOADED_PER_SECOND = 2_500;
const HOUR_MS = 3_600_000;
const IDLE_MS = 10_000;
const CHECKERS = 4;
const CHECK_PAUSE_MS = 20;
const POLL_MS = 250;

const CLOSED = 'budgets that end at one midnight: until all are closed and reopened';
const RATE = 'budgets closed and reopened';
const MEMORY = 'reset-scheduler, peak memory';
const IDLE = 'reset-scheduler, CPU with all timers waiting';
const CHECKS = 'check, p99 while they are closed';

/** Periods that end together (PRODUCT E6): `--timers` budgets, each with a period that ends at the same instant. */
export const periodsSuite: Suite = {
  about: '1 M budgets whose periods end at one instant: closing them, memory, checks meanwhile (--timers)',
  rows: [CLOSED, RATE, MEMORY, IDLE, CHECKS],
  ownSystem: true,
  run: (_shared, emit, { timers }) => withSystem({}, (system) => measure(system, timers, emit)),
};

const measure = async (system: RunningSystem, timers: number, emit: (...rows: readonly BenchRow[]) => void): Promise<void> => {
  const pid = pidOf(system, 'reset-scheduler');
  const midnight = Math.ceil((Date.now() + MARGIN_MS + (timers / LOADED_PER_SECOND) * 1_000) / 1_000) * 1_000;
  const client = new pg.Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    const tenants = await load(system, timers, midnight);
    await until(async () => (await count(client, 'SELECT count(*) AS n FROM scheduler.timer')) >= timers);
    const note = Date.now() + IDLE_MS < midnight ? undefined : 'they were still being loaded at midnight: fewer --timers on this machine';
    const asked = tenants[0] ?? '';
    const before = cpuMicros(pid);
    const idle = await checks(system, asked, delay(IDLE_MS));
    const idleMicros = (cpuMicros(pid) - before) / (IDLE_MS / 1_000);
    const loading = peakMegabytes(pid);
    forgetPeak(pid);
    await delay(Math.max(0, midnight - Date.now()));
    const cpuBefore = cpuOfAll(system);
    const closing = closed(client, midnight);
    const during = await checks(system, asked, closing);
    const ms = (await closing) - midnight;
    const spent = cpuOfAll(system).map(({ name, micros }, index) => ({ name, micros: micros - (cpuBefore[index]?.micros ?? 0) }));
    await verify(client, timers);
    emit(
      {
        name: CLOSED,
        value: ms / 1_000,
        unit: 's',
        lowerIsBetter: true,
        goal: 300,
        floor: 900,
        note: note ?? `${timers.toLocaleString('en')} budgets`,
      },
      { name: RATE, value: timers / (ms / 1_000), unit: 'budgets/s', note },
      {
        name: MEMORY,
        value: peakMegabytes(pid),
        unit: 'MB',
        lowerIsBetter: true,
        goal: 500,
        note: `${loading.toFixed(0)} MB while it read the budgets`,
      },
      {
        name: IDLE,
        value: idleMicros / 10_000,
        unit: '% of a core',
        lowerIsBetter: true,
        goal: 2,
        note: `${timers.toLocaleString('en')} timers`,
      },
      ...spent.map(
        ({ name, micros }): BenchRow => ({ name: `CPU of ${name} while they are closed`, value: micros / timers, unit: 'µs/budget' }),
      ),
      { ...ratioRow(during, idle), note: `${during.length} checks; idle ${idle.length}` },
    );
  } finally {
    await client.end();
  }
};

const ratioRow = (during: readonly number[], idle: readonly number[]): BenchRow => {
  const [value, limit] = [percentile([...during], 0.99), percentile([...idle], 0.99)];
  return { name: CHECKS, value, unit: 'ms', limitName: 'idle p99', limit, ratio: value / limit, lowerIsBetter: true, goal: 3 };
};

/** Straight into the store; answers the tenants once the projector has folded and counted them. */
const load = (system: RunningSystem, timers: number, midnight: number): Promise<readonly string[]> =>
  LedgerWriter.using(system, async (writer) => {
    const anchor = new Date(midnight - HOUR_MS).toISOString();
    const period = { kind: 'rolling', length: '1h', timezone: 'UTC', recurring: true, anchor };
    const tenants = Array.from({ length: Math.ceil(timers / PER_TENANT) }, (_, n) => `bench-${n}`);
    for (let from = 0; from < tenants.length; from += TENANTS_TOGETHER) {
      const some = tenants.slice(from, from + TENANTS_TOGETHER);
      await Promise.all(
        some.map((tenant, index) => writer.budgets(tenant, Math.min(PER_TENANT, timers - (from + index) * PER_TENANT), period)),
      );
    }
    await Checkpoints.using(system.databaseUrl, (checkpoints) => checkpoints.reach('budget', writer.positions, 200));
    return tenants;
  });

/** Checks of one tenant until `done`, in ms each. */
const checks = async (system: RunningSystem, tenant: string, done: Promise<unknown>): Promise<readonly number[]> => {
  const pool = new Pool(system.apiUrl, { connections: CHECKERS, pipelining: 1 });
  const headers = { authorization: `Bearer ${system.adminApiKey}`, 'bursar-tenant': tenant, 'content-type': 'application/json' };
  const times: number[] = [];
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  const ask = async (user: number): Promise<void> => {
    while (!isDone) {
      const startedAt = performance.now();
      const body = JSON.stringify({ scopes: [`user:u${user}`], amount: '1' });
      const answer = await pool.request({ method: 'POST', path: '/api/v1/check', headers, body });
      await answer.body.dump();
      times.push(performance.now() - startedAt);
      await delay(CHECK_PAUSE_MS);
    }
  };
  try {
    await Promise.all(Array.from({ length: CHECKERS }, (_, user) => ask(user)));
    return times;
  } finally {
    await pool.close();
  }
};

/** When no timer is left that was due at midnight. */
const closed = async (client: pg.Client, midnight: number): Promise<number> => {
  const due = `SELECT count(*) AS n FROM (SELECT FROM generate_series(0, 1023) AS p
    WHERE EXISTS (SELECT FROM scheduler.timer WHERE partition = p AND stuck IS NULL AND due_at <= to_timestamp(${midnight / 1_000}))) AS open`;
  await until(async () => (await count(client, due)) === 0);
  return Date.now();
};

/** Throws unless the ledger says of every budget, once, that its period ended and that the next began. */
const verify = async (client: pg.Client, timers: number): Promise<void> => {
  for (const type of ['PeriodEnded', 'PeriodStarted']) {
    const found = await count(client, `SELECT count(DISTINCT stream) AS n FROM store.readable_events WHERE type = '${type}'`);
    const all = await count(client, `SELECT count(*) AS n FROM store.readable_events WHERE type = '${type}'`);
    if (found !== timers || all !== timers) throw new Error(`${all} ${type} of ${found} budgets, of ${timers}`);
  }
};

const count = async (client: pg.Client, query: string): Promise<number> => {
  const { rows } = await client.query<{ n: string }>(query);
  return Number(rows[0]?.n ?? 0);
};

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await delay(POLL_MS);
};

const pidOf = ({ services }: RunningSystem, name: string): number => {
  const service = services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`no ${name} runs`);
  return service.pid;
};

const cpuOfAll = ({ services, infrastructure }: RunningSystem): readonly Readonly<{ name: string; micros: number }>[] =>
  [...services, ...infrastructure].map(({ name, pid }) => ({ name, micros: cpuMicros(pid) }));

/** The peak that the kernel keeps begins anew. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** As the kernel counts it: resident, at its highest. */
const peakMegabytes = (pid: number): number => {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1_000;
};
