import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from './support/client.js';
import { startSystem, type TestSystem } from './support/system.js';

let system: TestSystem;
let acme: Client;

beforeAll(async () => {
  system = await startSystem();
  acme = new Client(system.url, 'acme');
}, 60_000);
afterAll(() => system?.stop());

test('usage through the api address shows as balance at every level', async () => {
  expect((await acme.post('scopes', { type: 'organization', id: 'o' })).status).toBe(201);
  expect((await acme.post('scopes', { type: 'team', id: 'ml', parents: ['organization:o'] })).status).toBe(201);
  const budget = await acme.post('budgets', {
    name: 'Monthly',
    scope: 'organization:o',
    limit: { amount: '1000.00', currency: 'EUR' },
    period: { kind: 'monthly', timezone: 'Europe/Berlin' },
  });
  expect(budget.status).toBe(201);
  const usage = await acme.post('usage', { id: '1', source: 's', scopes: ['team:ml'], cost: { amount: '650.5', currency: 'EUR' } });
  expect(usage.body).toMatchObject({ results: [{ status: 'accepted' }] });
  const { position } = usage.body.results[0];
  const status = await acme.get(`budgets/${budget.body.id}/status?minPosition=${position}`, { headers: { prefer: 'wait=5' } });
  expect(status.body).toMatchObject({ currentSpend: '650.5', remaining: '349.5', percentUsed: '65.05', status: 'ok' });
});
