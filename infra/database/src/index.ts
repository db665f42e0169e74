export type { Pool, PoolClient } from 'pg';
export { column } from './columns.js';
export * from './idempotency-keys.js';
export * from './migrate.js';
export * from './migrations.js';
export { isOutage } from './outage.js';
export * from './pool.js';
export type * from './schema.js';
export { parseInt8, parseTimestamp } from './types.js';
