import { formatInstant, formatPicos } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Rollup } from '../../domain/rollups.js';
import { type Fence, FencedError } from '../../features/projection-tables.js';
import { column } from './columns.js';

/**
 * Moves the breakdown's checkpoint, adds the increments, and notes the scopes that spend for the first time, in one statement. Throws
 * {@link FencedError} and writes nothing otherwise.
 */
export const advanceWithRollups = async (db: Kysely<Database>, fence: Fence, position: number, rows: readonly Rollup[]): Promise<Fence> => {
  const { rows: hits } = await sql`
    WITH fence AS (
      UPDATE projection.checkpoint SET position = ${position}
      WHERE projection = ${fence.projection} AND partition = ${fence.partition} AND position = ${fence.position} AND epoch = ${fence.epoch}
      RETURNING 1
    ), cells AS (
      SELECT u.* FROM fence, unnest(
        ${column(rows, 'text', (row) => row.tenant)},
        ${column(rows, 'text', (row) => row.scope)},
        ${column(rows, 'timestamptz', (row) => formatInstant(row.bucket))},
        ${column(rows, 'text', (row) => row.key)},
        ${column(rows, 'text', (row) => row.currency)},
        ${column(rows, 'numeric', (row) => formatPicos(row.gain.spend))},
        ${column(rows, 'bigint', (row) => row.gain.events)},
        ${column(rows, 'bigint', (row) => row.gain.unpriced)},
        ${column(rows, 'numeric', (row) => row.gain.inputTokens.toString())},
        ${column(rows, 'numeric', (row) => row.gain.outputTokens.toString())}
      ) AS u (tenant, scope, bucket, key, currency, spend, events, unpriced, input_tokens, output_tokens)
    ), written AS (
      INSERT INTO projection.rollup AS rollup (tenant, scope, bucket, key, currency, spend, events, unpriced, input_tokens, output_tokens)
      SELECT * FROM cells
      ON CONFLICT (tenant, scope, bucket, key) DO UPDATE SET
        spend = rollup.spend + excluded.spend, events = rollup.events + excluded.events, unpriced = rollup.unpriced + excluded.unpriced,
        input_tokens = rollup.input_tokens + excluded.input_tokens, output_tokens = rollup.output_tokens + excluded.output_tokens
    ), summed AS (
      INSERT INTO projection.scope_spend AS total (tenant, scope, currency, spend, events, unpriced)
      SELECT tenant, scope, currency, sum(spend), sum(events), sum(unpriced) FROM cells GROUP BY tenant, scope, currency
      ON CONFLICT (tenant, scope, currency) DO UPDATE SET
        spend = total.spend + excluded.spend, events = total.events + excluded.events, unpriced = total.unpriced + excluded.unpriced
      RETURNING tenant, scope, xmax = 0 AS is_new -- an updated row has the lock of its update
    ), mentioned AS (
      INSERT INTO projection.scope_mention (tenant, scope, registered)
      SELECT DISTINCT tenant, scope COLLATE "C", false FROM summed WHERE is_new ORDER BY 1, 2
      ON CONFLICT DO NOTHING
    )
    SELECT 1 FROM fence`.execute(db);
  if (hits.length !== 1) throw new FencedError(fence);
  return { ...fence, position };
};
