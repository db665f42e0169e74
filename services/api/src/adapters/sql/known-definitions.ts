import { type EpochNs, parseInstant } from '@bursar/contracts';
import { Arrivals, evolveDefinitions, isDefinitionEvent, TenantDefinitions } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import { readable } from '../store/readable.js';

/** When a budget was changed, and where. */
export type Version = Readonly<{ at: EpochNs; position: number }>;
export type KnownDefinitions = Readonly<{
  definitions: TenantDefinitions;
  arrivals: Arrivals;
  /** Of each budget, oldest first. */
  versions: ReadonlyMap<string, readonly Version[]>;
}>;

/** All that a tenant has defined, as the projection has folded it by its checkpoint: nobody else's to keep, so it may be evolved on. */
export const knownDefinitions = async (trx: Kysely<Database>, tenant: string): Promise<KnownDefinitions> => {
  const rows = await trx
    .selectFrom('projection.definition_event')
    .selectAll()
    .where('projection', '=', 'budget')
    .where('tenant', '=', tenant)
    .orderBy('position')
    .execute();
  const known = { definitions: new TenantDefinitions(tenant), arrivals: new Arrivals(), versions: new Map<string, Version[]>() };
  for (const { recorded_at: recordedAt, ...row } of rows) {
    const event = readable({ ...row, recordedAt });
    if (event === null) continue;
    evolveDefinitions(known.definitions, event);
    known.arrivals.apply(event);
    if (!isDefinitionEvent(event) || !('budgetId' in event.data)) continue;
    const { budgetId } = event.data;
    known.versions.set(budgetId, [...(known.versions.get(budgetId) ?? []), { at: parseInstant(recordedAt), position: event.position }]);
  }
  return known;
};
