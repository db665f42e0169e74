import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, WAIT } from './support/client.js';
import { freshTenant, makeBudget, usageOf } from './support/make.js';
import { startSystem, type TestSystem } from './support/system.js';

let system: TestSystem;
beforeAll(async () => {
  system = await startSystem();
}, 240_000);
afterAll(() => system?.stop());
test('120,000 usages are corrected', async () => {
  const tenant = new Client(system.url, 'unused').as(freshTenant());
  const price = (amount: string) => ({ meter: 'llm.tokens', match: { model: 'm' }, unit: 'inputTokens', amount, per: 1 });
  const { id } = await makeBudget(tenant, { limit: { amount: '1000000000', currency: 'USD' }, period: { kind: 'annual' } });
  const list = (await tenant.post('price-lists', { name: 'L', effectiveFrom: '2020-01-01T00:00:00Z', prices: [price('1')] })).body.id;
  const N = 120;
  for (let n = 0; n < N; n += 1) {
    await tenant.record(
      ...Array.from({ length: 1000 }, () =>
        usageOf('0', { cost: undefined, meter: 'llm.tokens', quantities: { inputTokens: '1' }, dimensions: { model: 'm' } }),
      ),
    );
  }
  let t = performance.now();
  const dry = await tenant.post(`price-lists/${list}/correct`, { prices: [price('2')], dryRun: true });
  console.log('dry', dry.status, Math.round(performance.now() - t), JSON.stringify(dry.body).slice(0, 300));
  t = performance.now();
  const made = await tenant.post(`price-lists/${list}/correct`, { prices: [price('2')] });
  console.log('real', made.status, made.body.status, Math.round(performance.now() - t));
  for (let k = 0; k < 300; k += 1) {
    const { body } = await tenant.get(`budgets/${id}/status`, WAIT);
    if (body.currentSpend === String(N * 2000)) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  console.log('done', Math.round(performance.now() - t));
  expect((await tenant.get(`budgets/${id}/status`, WAIT)).body.currentSpend).toBe(String(N * 2000));
}, 400_000);
