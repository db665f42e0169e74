import { parsePicos } from '@bursar/contracts';
import type { Correction } from '@bursar/contracts/folds';
import { type Kysely, sql } from 'kysely';
import type { Database } from './schema/database.js';

/**
 * What was said of a tenant's usage at these positions, as the projection has it: by the position of the usage, oldest first. What stands
 * as it was recorded is absent.
 */
export const usageCorrections = async (
  db: Kysely<Database>,
  tenant: string,
  positions: readonly number[],
): Promise<ReadonlyMap<number, readonly Correction[]>> => {
  if (positions.length === 0) return new Map();
  const rows = await db
    .selectFrom('projection.usage_correction')
    .select(['position', 'corrected_at', sql<string | null>`trim_scale(amount)::text`.as('amount'), 'currency', 'stated'])
    .where('tenant', '=', tenant)
    .where('position', '=', sql<number>`ANY (${positions}::bigint[])`)
    .orderBy('corrected_at')
    .execute();
  const found = new Map<number, Correction[]>();
  for (const { position, corrected_at: at, amount, currency, stated } of rows) {
    const cost = amount === null || currency === null ? null : { picos: parsePicos(amount), currency };
    const known = found.get(position);
    if (known === undefined) found.set(position, [{ at, cost, stated }]);
    else known.push({ at, cost, stated });
  }
  return found;
};
