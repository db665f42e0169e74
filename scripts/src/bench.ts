/** `./scripts/bench`: every figure beside its limit or peer of the same run. `--json`, `--only append|bus|ingest`. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { benchAppend } from './bench/append.ts';
import { benchBus } from './bench/bus.ts';
import { copyLimit } from './bench/copy-limit.ts';
import { benchIngest } from './bench/ingest.ts';
import type { BenchRow } from './bench/row.ts';
import { type RunningSystem, startSystem } from './bench/system.ts';
import { renderRows } from './bench/table.ts';

const SUITES: Readonly<Record<string, (system: RunningSystem) => Promise<readonly BenchRow[]>>> = {
  append: (system) => benchAppend(system.eventStoreUrl),
  bus: (system) => benchBus(system.eventStoreUrl),
  ingest: async (system) => benchIngest(system, await copyLimit(system.eventStoreUrl, 100_000)),
};

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const chosen = Object.entries(SUITES).filter(([name]) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only takes one of ${Object.keys(SUITES).join(', ')}`);

const startedAt = performance.now();
const system = await startSystem();
const rows: BenchRow[] = [];
let settings: Record<string, string> = {};
try {
  settings = await durability(system.databaseUrl);
  for (const [name, suite] of chosen) {
    process.stderr.write(`${name} …\n`);
    rows.push(...(await suite(system)));
  }
} finally {
  await system.stop();
}
const about = {
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim(),
  machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`,
  settings,
  seconds: Math.round((performance.now() - startedAt) / 1000),
};
process.stdout.write(values.json === true ? `${JSON.stringify({ ...about, rows }, null, 2)}\n` : renderRows(about, rows));

/** What PostgreSQL does about durability while it is measured: a figure without it means nothing. */
async function durability(url: string): Promise<Record<string, string>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: found } = await client.query<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version') ORDER BY name`,
    );
    return Object.fromEntries(found.map((row) => [row.name, row.setting]));
  } finally {
    await client.end();
  }
}
