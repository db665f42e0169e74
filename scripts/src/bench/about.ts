import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { Client } from 'pg';

export type About = Readonly<{
  commit: string;
  date: string;
  machine: string;
  /** Of PostgreSQL, durability first: a figure without it means nothing. Empty when no suite needed the shared system. */
  settings: Readonly<Record<string, string>>;
  /** One-minute load averages before and after: what else the machine did. */
  load: Readonly<{ before: number; after: number }>;
  seconds: number;
}>;

const SETTINGS = ['fsync', 'full_page_writes', 'synchronous_commit', 'shared_buffers', 'max_wal_size', 'server_version'];

export const commit = (): string => {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'}`;
};

export const machine = (): string => `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;

export const loadAverage = (): number => loadavg()[0] ?? Number.NaN;

export const settingsOf = async (databaseUrl: string): Promise<Readonly<Record<string, string>>> => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      "SELECT name, setting || coalesce(unit, '') AS setting FROM pg_settings WHERE name = any($1) ORDER BY array_position($1, name)",
      [SETTINGS],
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.setting]));
  } finally {
    await client.end();
  }
};
