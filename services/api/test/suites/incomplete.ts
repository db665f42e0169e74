import { randomUUID } from 'node:crypto';
import { contentHash, partitionOf, usageStream } from '@bursar/contracts';
import { createEventStore } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { freshTenant, makeBudget, usageOf } from '../support/make.js';
import { PARTITIONS } from '../support/system.js';

/** An event that no release can read, where a broken writer or disk would leave one. */
const poison = async (databaseUrl: string, tenant: string): Promise<string> => {
  const store = await createEventStore(databaseUrl, { name: 'poison', partitions: Number(PARTITIONS) });
  const partition = partitionOf(tenant, store.partitions);
  const id = randomUUID();
  const event = { id, type: 'UsageRecorded', version: 1, data: '{"broken', meta: JSON.stringify({ tenant }), contentHash: contentHash(id) };
  const result = await store.append({ partition, stream: usageStream(tenant), events: [event], expectedRevision: 'any' });
  await store.close();
  return `${partition}:${result.ok ? result.outcomes[0]?.position : 0}`;
};

export const incomplete = (api: () => Client, databaseUrl: () => string): void => {
  describe('an event that cannot be folded (RELIABILITY, promise 6)', () => {
    test('flags its budgets, closes those that block, and sinks nothing else', async () => {
      const acme = api().as(freshTenant());
      const strict = await makeBudget(acme);
      const mild = await makeBudget(acme, { scope: 'team:mild', enforcement: { mode: 'notify' } });
      const other = api().as(freshTenant());
      const theirs = await makeBudget(other);
      await acme.record(usageOf('3'));
      const position = await poison(databaseUrl(), acme.tenant);
      const after = (path: string) => acme.get(`${path}?minPosition=${position}`, WAIT);
      expect((await after(`budgets/${strict.id}/status`)).body).toMatchObject({ incomplete: true, currentSpend: '3' });
      expect((await acme.get(`budgets/${mild.id}`)).body.status.incomplete).toBe(true);
      expect((await other.get(`budgets/${theirs.id}/status`)).body.incomplete).toBe(false);

      expect((await acme.post('check', { scopes: ['team:ml'], amount: '1' })).body).toMatchObject({
        allowed: false,
        code: 'budget_incomplete',
        budgetId: strict.id,
      });
      expect((await acme.post('check', { scopes: ['team:mild'], amount: '1' })).body).toMatchObject({ allowed: true });

      // Usage goes on, and what is answered from the ledger passes over the event as the projection did.
      const next = await acme.record(usageOf('4'));
      const status = await acme.get(`budgets/${strict.id}/status?minPosition=${next}`, WAIT);
      expect(status.body).toMatchObject({ currentSpend: '7', incomplete: true });
      expect((await acme.get(`budgets/${strict.id}/usage`)).body.data).toHaveLength(2);
      const past = await acme.get(`budgets/${strict.id}/status?asOf=${next}`);
      expect(past.body).toMatchObject({ currentSpend: '7', incomplete: true });
      expect((await acme.get(`budgets/${strict.id}/status?asOf=${status.body.periodStart}`)).status).toBe(404);
    });
  });
};
