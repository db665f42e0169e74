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
import { cpuOf, usedBetween } from './system-cpu.ts';

/** Budgets of one tenant, and tenants written at the same time. */
const PER_TENANT = 200;
const TENANTS_TOGETHER = 16;
/**
 * All have to be in the tables when their period ends, and the end is said when they are written. So how fast this machine takes them is
 * measured first, by one in so many, which end much later; the others are given that time, half as much again, and a margin.
 */
const MEASURED_SHARE = 50;
const LEAST_MEASURED = 5_000;
const SLACK = 1.5;
const MARGIN_MS = 45_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const REPORT_MS = 10_000;
/** A count of a million rows is not for every moment. */
const COUNT_POLL_MS = 1_000;
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
  const client = new pg.Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    const measured = Math.max(LEAST_MEASURED, Math.ceil(timers / MEASURED_SHARE));
    const startedAt = Date.now();
    await load(system, client, { name: 'measured', budgets: measured, before: 0, endsAt: startedAt + DAY_MS, period: '24h' });
    const neededMs = (timers / measured) * (Date.now() - startedAt);
    const midnight = Math.ceil((Date.now() + neededMs * SLACK + MARGIN_MS) / 1_000) * 1_000;
    report(`${measured} budgets in ${Date.now() - startedAt} ms: the period of the others ends at ${new Date(midnight).toISOString()}`);
    const tenants = await load(system, client, { name: 'bench', budgets: timers, before: measured, endsAt: midnight, period: '1h' });
    const left = midnight - Date.now();
    report(`all are loaded, ${left} ms before their period ends`);
    if (left < IDLE_MS) throw new Error('they were still being loaded when their period ended: this machine became slower meanwhile');
    const asked = tenants[0] ?? '';
    const before = cpuMicros(pid);
    const idle = await checks(system, asked, delay(IDLE_MS));
    const idleMicros = (cpuMicros(pid) - before) / (IDLE_MS / 1_000);
    const loading = peakMegabytes(pid);
    forgetPeak(pid);
    await delay(Math.max(0, midnight - Date.now()));
    const cpuBefore = cpuOf(system);
    const closing = closed(client, midnight);
    const during = await checks(system, asked, closing);
    const ms = (await closing) - midnight;
    const spent = usedBetween(cpuBefore, cpuOf(system));
    await verify(client, timers);
    emit(
      {
        name: CLOSED,
        value: ms / 1_000,
        unit: 's',
        lowerIsBetter: true,
        goal: 300,
        floor: 900,
        note: `${timers.toLocaleString('en')} budgets`,
      },
      { name: RATE, value: timers / (ms / 1_000), unit: 'budgets/s' },
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

/** Budgets with a period of this length (a whole number of hours) that ends at `endsAt`; `before`: those with timers already. */
type Part = Readonly<{ name: string; budgets: number; before: number; endsAt: number; period: '1h' | '24h' }>;

/** Straight into the store; answers the tenants once all are folded and have their timers. */
const load = (system: RunningSystem, client: pg.Client, part: Part): Promise<readonly string[]> =>
  LedgerWriter.using(system, async (writer) => {
    const { name, budgets, before, endsAt } = part;
    const anchor = new Date(endsAt - (part.period === '1h' ? HOUR_MS : DAY_MS)).toISOString();
    const period = { kind: 'rolling', length: part.period, timezone: 'UTC', recurring: true, anchor };
    const tenants = Array.from({ length: Math.ceil(budgets / PER_TENANT) }, (_, n) => `${name}-${n}`);
    const timers = async (): Promise<number> => (await count(client, 'SELECT count(*) AS n FROM scheduler.timer')) - before;
    let written = 0;
    const reporting = setInterval(() => {
      void timers().then((known) => report(`${written} of ${budgets} budgets written, ${known} known to the scheduler`));
    }, REPORT_MS);
    try {
      for (let from = 0; from < tenants.length; from += TENANTS_TOGETHER) {
        const some = tenants.slice(from, from + TENANTS_TOGETHER);
        const sizes = some.map((_, index) => Math.min(PER_TENANT, budgets - (from + index) * PER_TENANT));
        await Promise.all(some.map((tenant, index) => writer.budgets(tenant, sizes[index] ?? 0, period)));
        written += sizes.reduce((sum, size) => sum + size, 0);
      }
      await Checkpoints.using(system.databaseUrl, (checkpoints) => checkpoints.reach('budget', writer.positions, 200));
      await until(async () => (await timers()) >= budgets, COUNT_POLL_MS);
      return tenants;
    } finally {
      clearInterval(reporting);
    }
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
  // One reading for all: of a million budgets it takes a minute.
  const { rows } = await client.query<{ type: string; events: string; budgets: string }>(
    `SELECT type, count(*) AS events, count(DISTINCT stream) AS budgets FROM store.readable_events
     WHERE type IN ('PeriodEnded', 'PeriodStarted') GROUP BY type`,
  );
  const said = rows.map(({ type, events, budgets }) => `${events} ${type} of ${budgets} budgets`);
  if (rows.length !== 2 || rows.some(({ events, budgets }) => Number(events) !== timers || Number(budgets) !== timers)) {
    throw new Error(`${said.join(', ')}, of ${timers}`);
  }
};

const count = async (client: pg.Client, query: string): Promise<number> => {
  const { rows } = await client.query<{ n: string }>(query);
  return Number(rows[0]?.n ?? 0);
};

const until = async (isSo: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> => {
  while (!(await isSo())) await delay(pollMs);
};

/** It takes long: whoever waits sees that it goes on. */
const report = (line: string): void => {
  process.stderr.write(`periods: ${line}\n`);
};

const pidOf = ({ services }: RunningSystem, name: string): number => {
  const service = services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`no ${name} runs`);
  return service.pid;
};

/** The peak that the kernel keeps begins anew. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** As the kernel counts it: resident, at its highest. */
const peakMegabytes = (pid: number): number => {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1_000;
};
