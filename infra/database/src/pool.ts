import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './schema/database.js';
import { typeParsers } from './types.js';

export type PoolOptions = Readonly<{
  /** Shown as `application_name`, so an operator sees whose connection it is. */
  name: string;
  /** Most connections at once. */
  max: number;
  /** Longest statement, ms; 0 for none. Default 30 s. */
  statementTimeoutMs?: number;
  /** Longest wait for an answer, ms, also from a server that no longer answers at all. Default: none. */
  answerTimeoutMs?: number;
  /** Longest silence in mid-transaction, ms, before the server ends it. Default 5 s. */
  idleInTransactionMs?: number;
  /** A connection broke (a restart of PostgreSQL). The pool replaces it by itself; this only tells. */
  onError?: (error: Error) => void;
}>;

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
/** A client stopped in mid-transaction (SIGSTOP) must not hold its row locks for long: whoever takes over waits for them (RELIABILITY F8). */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;

/**
 * A pool whose int8 are numbers, timestamptz canonical UTC text and numeric decimal text. Connects on first use:
 * creating one never fails for want of a server.
 */
export const createPool = (url: string, options: PoolOptions): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    ...(options.answerTimeoutMs !== undefined && { query_timeout: options.answerTimeoutMs }),
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: options.idleInTransactionMs ?? IDLE_IN_TRANSACTION_TIMEOUT_MS,
    options: '-c timezone=UTC',
    types: typeParsers,
    keepAlive: true,
  });
  // Without listeners a connection that breaks would end the process: the pool listens to idle ones alone, and one that breaks
  // between two statements of a transaction is not idle. Its next statement fails.
  pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)));
  pool.on('error', () => undefined);
  return pool;
};

/** Typed queries over the tables of the migrations. Destroying it ends the pool. */
export const createDatabase = (pool: pg.Pool): Kysely<Database> => new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
