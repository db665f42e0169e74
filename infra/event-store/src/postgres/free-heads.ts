import type pg from 'pg';
import { STATEMENT_TIMEOUT_MS } from './pools.js';

/**
 * Ends sessions that were stopped in the middle of sending an append (SIGSTOP, a paused container), and answers how many: they hold a
 * head's lock, and none of PostgreSQL's time limits counts while a COPY waits for its client. What is older than a statement may be, and
 * still waits for data of at most one append, is sent by nobody any more. Only sessions of our own role, which every role may end.
 */
export const freeHeads = async (pool: pg.Pool): Promise<number> => {
  const { rowCount } = await pool.query(STOPPED, [STATEMENT_TIMEOUT_MS]);
  return rowCount ?? 0;
};

const STOPPED = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
    AND state = 'active' AND wait_event = 'ClientRead' AND query LIKE 'COPY store.events %'
    AND query_start < clock_timestamp() - $1::int * interval '1 ms'`;
