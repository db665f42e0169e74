export type { Pool, PoolClient } from 'pg';
export * from './migrate.js';
export * from './migrations.js';
export * from './pool.js';
export type * from './schema.js';
export { parseInt8, parseTimestamp } from './types.js';
