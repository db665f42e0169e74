import pg from 'pg';
import type { StoreSettings } from './options.js';

/** Longest statement. PostgreSQL does not look at it while a COPY waits for its client's data: see `free-heads.ts`. */
export const STATEMENT_TIMEOUT_MS = 5_000;
export const LOCK_TIMEOUT_MS = 2_000;
/** Shorter than the wait for a lock, so that whoever waits for a head outlasts a process that was frozen while it held it. */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 1_500;

/**
 * A forgotten or stopped process may not hold a head row for ever (RELIABILITY F8). Plans are made once and never for a small table:
 * a session that saw the store empty would else go on scanning it when it is large.
 */
const SESSION = '-c default_transaction_isolation=read\\ committed -c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c jit=off';

export const createPool = (url: string, max: number, settings: StoreSettings): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: settings.name,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    lock_timeout: LOCK_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    options: SESSION,
  });
  // A connection that breaks while it is checked out is reported by its query too; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', (error) => settings.warn('an event store connection broke', error)));
  pool.on('error', () => {});
  return pool;
};
