import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

const CLOSING_MS = 5_000;

/** Runs `measure` in an empty database on the given server, checkpointed first, dropped afterwards. */
export const inFreshDatabase = async <T>(serverUrl: string, measure: (url: string) => Promise<T>): Promise<T> => {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    await admin.query('CHECKPOINT');
    try {
      return await measure(url.href);
    } finally {
      await drop(admin, name);
    }
  } finally {
    await admin.end();
  }
};

/** Without force at first: a peer's pool that is still closing would end the process when its connections are cut. */
const drop = async (admin: Client, name: string): Promise<void> => {
  const deadline = performance.now() + CLOSING_MS;
  const open = async (): Promise<boolean> => {
    const { rows } = await admin.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1 LIMIT 1', [name]);
    return rows.length > 0;
  };
  while ((await open()) && performance.now() < deadline) await delay(20);
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
};
