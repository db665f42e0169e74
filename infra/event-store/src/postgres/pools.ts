import pg from 'pg';
import type { StoreSettings } from './options.js';

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
    lock_timeout: 2_000,
    statement_timeout: 5_000,
    idle_in_transaction_session_timeout: 5_000,
    options: SESSION,
  });
  // A connection that breaks while it is checked out is reported by its query too; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', (error) => settings.warn('an event store connection broke', error)));
  pool.on('error', () => {});
  return pool;
};
