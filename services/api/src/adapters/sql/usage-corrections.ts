import { parsePicos } from '@bursar/contracts';
import type { Correction } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely, sql } from 'kysely';

/** What was said of usage, as the projection has folded it. */
@Injectable()
export class UsageCorrections {
  constructor(private readonly db: Kysely<Database>) {}

  /** By the position of the usage, oldest first; what stands as it was recorded is absent. */
  async of(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, readonly Correction[]>> {
    if (positions.length === 0) return new Map();
    const rows = await this.db
      .selectFrom('projection.usage_correction')
      .select(['position', 'corrected_at', sql<string | null>`trim_scale(amount)::text`.as('amount'), 'currency', 'stated'])
      .where('tenant', '=', tenant)
      .where('position', '=', sql<number>`ANY (${positions}::bigint[])`)
      .orderBy('corrected_at')
      .execute();
    const found = new Map<number, Correction[]>();
    for (const { position, corrected_at: at, amount, currency, stated } of rows) {
      const cost = amount === null || currency === null ? null : { picos: parsePicos(amount), currency };
      found.set(position, [...(found.get(position) ?? []), { at, cost, stated }]);
    }
    return found;
  }
}
