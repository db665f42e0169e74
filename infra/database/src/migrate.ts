import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { MIGRATIONS } from './migrations.js';

/** Any fixed number, the same in every release: concurrent starts queue on it. */
const LOCK_KEY = 0x42_75_72_73;
const RETRY_MS = 200;

/** PostgreSQL accepted no connection in time; `cause` is the last refusal. */
export class DatabaseUnreachableError extends Error {
  override readonly name = 'DatabaseUnreachableError';
}

/**
 * Brings the database to this release: runs what is missing of {@link MIGRATIONS}, in order, each in a transaction of its own.
 * Safe when many processes start at once (session advisory lock). Waits up to `waitMs` (30 s) for PostgreSQL to accept connections;
 * throws {@link DatabaseUnreachableError} after that. Migrations of a newer release are left alone. Answers the names it ran.
 */
export const migrate = async (url: string, options: Readonly<{ waitMs?: number }> = {}): Promise<readonly string[]> => {
  const pool = await reach(url, options.waitMs ?? 30_000);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await db.connection().execute(async (session) => {
      await sql`SELECT pg_advisory_lock(${LOCK_KEY})`.execute(session);
      try {
        return await runMissing(session);
      } finally {
        await sql`SELECT pg_advisory_unlock(${LOCK_KEY})`.execute(session);
      }
    });
  } finally {
    await db.destroy();
  }
};

const runMissing = async (session: Kysely<unknown>): Promise<readonly string[]> => {
  await sql`CREATE SCHEMA IF NOT EXISTS bursar`.execute(session);
  await sql`CREATE TABLE IF NOT EXISTS bursar.migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`.execute(
    session,
  );
  const { rows } = await sql<{ name: string }>`SELECT name FROM bursar.migration`.execute(session);
  const applied = new Set(rows.map((row) => row.name));
  const missing = MIGRATIONS.filter((migration) => !applied.has(migration.name));
  for (const { name, up } of missing) {
    await session.transaction().execute(async (trx) => {
      await up(trx);
      await sql`INSERT INTO bursar.migration (name) VALUES (${name})`.execute(trx);
    });
  }
  return missing.map(({ name }) => name);
};

/** A pool of one that has connected once. While PostgreSQL starts it refuses (ECONNREFUSED, 57P03): ask again. */
const reach = async (url: string, waitMs: number): Promise<pg.Pool> => {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const pool = new pg.Pool({ connectionString: url, application_name: 'bursar-migrate', max: 1, connectionTimeoutMillis: 5_000 });
    // A connection that breaks while idle is noticed by the next statement.
    pool.on('error', () => undefined);
    try {
      const client = await pool.connect();
      client.release();
      return pool;
    } catch (error) {
      await pool.end();
      if (performance.now() + RETRY_MS > deadline) throw new DatabaseUnreachableError('PostgreSQL accepts no connection', { cause: error });
      await delay(RETRY_MS);
    }
  }
};
