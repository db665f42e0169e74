import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../postgres/start-postgres.js';

export type TestDatabase = Readonly<{ url: string; drop(): Promise<void> }>;

/** Set by `scripts/test`: the one PostgreSQL that the whole run shares. */
const SHARED = 'BURSAR_TEST_POSTGRES_URL';

type Server = Readonly<{ url: string; close(): Promise<void> }>;
let own: Promise<Server> | undefined;
let users = 0;

/**
 * A fresh, empty database on a real PostgreSQL. Call `drop()` at the end (afterAll): it also stops the server when
 * this process started one and nobody else uses it.
 */
export const testDatabase = async (): Promise<TestDatabase> => {
  const shared = process.env[SHARED];
  users += 1;
  if (shared === undefined) own ??= startOwn();
  const server = shared === undefined ? await (own as Promise<Server>) : { url: shared, close: async () => {} };
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(server.url, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await administer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      users -= 1;
      if (users > 0 || shared !== undefined) return;
      own = undefined;
      await server.close();
    },
  };
};

const startOwn = async (): Promise<Server> => {
  const directory = mkdtempSync(join(tmpdir(), 'bursar-test-postgres-'));
  const server = await startPostgres({ dataDir: join(directory, 'data'), dieWithParent: true });
  return {
    url: server.url,
    close: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

const administer = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};
