import { canonicalJson, partitionOf, type TenantSettings, tenantStream } from '@bursar/contracts';
import { createDatabase, createPool } from '@bursar/database';
import { PARTITIONS, type World } from './world.js';

let last = 0;

/** A tenant's settings as the projector keeps them. */
export const keepSettings = async (world: World, tenant: string, settings: TenantSettings): Promise<void> => {
  const database = createDatabase(createPool(world.database.url, { name: 'test', max: 1 }));
  last += 1;
  await database
    .insertInto('projection.definition_event')
    .values({
      projection: 'budget',
      tenant,
      position: last,
      partition: partitionOf(tenant, PARTITIONS),
      stream: tenantStream(tenant),
      revision: last,
      id: crypto.randomUUID(),
      type: 'TenantSettingsChanged',
      version: 1,
      data: canonicalJson({ settings }),
      meta: JSON.stringify({ tenant }),
      recorded_at: new Date().toISOString(),
    })
    .execute();
  await database.destroy();
};
