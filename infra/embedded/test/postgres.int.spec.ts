import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { stopLeftoverPostgres } from '../src/postgres/leftovers.js';
import { DURABILITY_SETTINGS } from '../src/postgres/settings.js';
import { startPostgres } from '../src/postgres/start-postgres.js';
import { isAlive, type RunningServer, until } from '../src/processes.js';

/** mkdtemp makes it 0700: as root, this is also the test that a closed parent directory is no obstacle. */
const root = mkdtempSync(join(tmpdir(), 'bursar-postgres-'));
const dataDir = join(root, 'postgres');
afterAll(() => rmSync(root, { recursive: true, force: true }));

const query = async (url: string, text: string): Promise<unknown[][]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
};

describe('an embedded PostgreSQL', () => {
  let server: RunningServer;
  const start = async (): Promise<RunningServer> => {
    server = await startPostgres({ dataDir, dieWithParent: true });
    return server;
  };
  afterEach(() => server.stop());

  test('is made for exact text in any language, and loses nothing in a crash', async () => {
    const { url } = await start();
    expect(await query(url, "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'bursar'")).toEqual([
      ['UTF8', 'C'],
    ]);
    for (const setting of DURABILITY_SETTINGS) expect(await query(url, `SHOW ${setting}`)).toEqual([['on']]);
  });

  test('answers with the pid of the postmaster itself', async () => {
    const { pid } = await start();
    expect(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8')).toMatch(new RegExp(`^${pid}\n`));
  });

  test('wants a password', async () => {
    const url = new URL((await start()).url);
    url.password = 'guess';
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  test('comes back with its data after kill -9, though a busy backend outlives the postmaster', async () => {
    const { url, pid, exited } = await start();
    await query(url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer');
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {}); // the backend is killed below, on purpose
    await client.connect();
    const backend = Number((await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);
    const busy = client.query('SELECT count(*) FROM generate_series(1, 1000000000)').then(
      () => 'answered',
      () => 'failed',
    );
    const isBusy = async () => `${await query(url, `SELECT state FROM pg_stat_activity WHERE pid = ${backend}`)}` === 'active';
    expect(await until(isBusy, 60_000)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await exited;
    expect(isAlive(backend)).toBe(true);

    const again = await start();
    expect(await query(again.url, 'SELECT answer FROM kept')).toEqual([[42]]);
    expect(isAlive(backend)).toBe(false);
    expect(await busy).toBe('failed');
  });

  test('is not fooled by a postmaster.pid whose number belongs to somebody else now', async () => {
    await (await start()).stop();
    writeFileSync(join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n`);
    await expect(start()).resolves.toMatchObject({ pid: expect.any(Number) });
  });

  test('one that still runs is not started twice, and can be stopped by its data directory', async () => {
    const first = await start();
    await expect(startPostgres({ dataDir })).rejects.toThrow(new RegExp(`^a PostgreSQL \\(pid ${first.pid}\\) already runs`));
    await stopLeftoverPostgres(dataDir);
    expect(await until(() => !isAlive(first.pid), 1_000)).toBe(true);
  });

  test('a start cut off in the middle of initdb is started over', async () => {
    const halfMade = join(root, 'half');
    mkdirSync(join(halfMade, 'cluster.new', 'base'), { recursive: true });
    const other = await startPostgres({ dataDir: halfMade, dieWithParent: true });
    await other.stop();
    expect(readFileSync(join(halfMade, 'PG_VERSION'), 'utf8')).toBe('18\n');
  });
});

test('a directory with other things in it is left alone', async () => {
  const taken = join(root, 'taken');
  mkdirSync(taken);
  writeFileSync(join(taken, 'thesis.txt'), 'years of work');
  await expect(startPostgres({ dataDir: taken })).rejects.toThrow(/is not empty and holds no PostgreSQL data/);
  expect(readFileSync(join(taken, 'thesis.txt'), 'utf8')).toBe('years of work');
});
