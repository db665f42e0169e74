import type pg from 'pg';
import { StoreUnavailableError } from '../port.js';
import { failureOf } from './failures.js';

/** Runs a statement, prepared under its name, and answers its rows as arrays. Rejects with `StoreUnavailableError` when there is no answer. */
export type Query = <R extends unknown[]>(name: string, text: string, values: unknown[]) => Promise<R[]>;

export const queryOn =
  (pool: pg.Pool): Query =>
  async <R extends unknown[]>(name: string, text: string, values: unknown[]) => {
    try {
      const result = await pool.query<R>({ name, text, values, rowMode: 'array' });
      return result.rows;
    } catch (error) {
      if (failureOf(error) === 'refused') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreUnavailableError(`the event store did not answer: ${reason}`, { cause: error });
    }
  };
