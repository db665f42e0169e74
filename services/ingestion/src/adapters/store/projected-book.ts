import { decodeStored } from '@bursar/bus';
import { evolveDefinitions, TenantDefinitions } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { TenantBook } from '../../features/ports.js';

/** A tenant's scopes and budgets from the definition events the projector keeps. Only the dry run asks, so nothing is cached. */
export class ProjectedBook extends TenantBook {
  constructor(private readonly database: Kysely<Database>) {
    super();
  }

  async load(tenant: string): Promise<TenantDefinitions> {
    // Several projections may keep the same events; each is folded once.
    const rows = await this.database
      .selectFrom('projection.definition_event')
      .distinctOn('position')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('position')
      .execute();
    const definitions = new TenantDefinitions(tenant);
    for (const { recorded_at: recordedAt, ...row } of rows) evolveDefinitions(definitions, decodeStored({ ...row, recordedAt }));
    return definitions;
  }
}
