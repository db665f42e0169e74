import { describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Self-inspection (C12). */
export const myBudget = (api: () => Client): void => {
  const money = (amount: string, currency = 'USD') => ({ limit: { amount, currency } });

  describe('what the calling key may still spend', () => {
    test('is the tightest budget of the tenant’s root, or of the scope asked about, in body and header', async () => {
      const tenant = api().as(freshTenant());
      expect((await tenant.get('me/budget')).body).toMatchObject({ scopes: [`tenant:${tenant.tenant}`], canSpend: true, remaining: null });
      await makeBudget(tenant, { name: 'All', scope: `tenant:${tenant.tenant}`, ...money('100') });
      const small = await makeBudget(tenant, { name: 'Small', scope: 'team:me', ...money('10') });
      const position = await tenant.record(usageOf('10', { scopes: ['team:me'] }));
      const root = await tenant.get(`me/budget?minPosition=${position}`, WAIT);
      expect(root.body).toMatchObject({ canSpend: true, currentSpend: '10', limit: '100', remaining: '90', currency: 'USD' });
      expect(root.headers.get('bursar-budget')).toMatch(/^"All";limit="100";used="10";reserved="0";remaining="90";reset="/);
      const mine = await tenant.get('me/budget?scope=team:me');
      expect(mine.body).toMatchObject({ scopes: ['team:me'], canSpend: false, budgetId: small.id, remaining: '0' });
      expect(mine.headers.get('bursar-budget')).toMatch(/^"Small";/);
      expect(mine.body).toMatchObject({ code: 'budget_exceeded', reason: 'Budget exceeded for team:me. Current: $10.00, Limit: $10.00.' });
      expectProblem(await tenant.get('me/budget?scope=nothing'), 400, 'scope_format', '/scope');
      expectProblem(await tenant.get('me/budget?user=alice'), 400, 'unknown_field');
    });

    test('is anything at all where no budget blocks, however much is spent; and nothing where the least is nothing in another currency', async () => {
      const tenant = api().as(freshTenant());
      await makeBudget(tenant, { scope: 'team:told', ...money('10'), enforcement: { mode: 'notify' } });
      const strict = await makeBudget(tenant, { scope: 'team:off', ...money('10') });
      await tenant.post(`budgets/${strict.id}/overrides`, { enforcement: 'off', duration: '1h', reason: 'launch' });
      const rate = { from: 'USD', to: 'EUR', rate: '0.1', effectiveFrom: '2020-01-01T00:00:00Z' };
      expect((await tenant.post('exchange-rates', rate)).status).toBe(201);
      await makeBudget(tenant, { scope: 'team:cheap', ...money('1', 'EUR') });
      const position = await tenant.record(usageOf('15', { scopes: ['team:told', 'team:off'] }), usageOf('10', { scopes: ['team:cheap'] }));
      const mine = async (scope: string) => (await tenant.get(`me/budget?scope=${scope}&minPosition=${position}`, WAIT)).body;
      expect(await mine('team:told')).toMatchObject({ canSpend: true, reason: null, graceRemaining: '-5' });
      expect(await mine('team:off')).toMatchObject({ canSpend: true, reason: null, graceRemaining: '-5' });
      expect(await mine('team:cheap')).toMatchObject({ canSpend: false, currency: 'EUR', graceRemaining: '0' });
    });

    test('is told without a figure where the budget is not for users to see', async () => {
      const tenant = api().as(freshTenant());
      const permissions = { budgetVisibleToUser: false };
      await makeBudget(tenant, { name: 'Secret', scope: 'team:me', ...money('10'), permissions });
      const ask = () => tenant.get('me/budget?scope=team:me', { headers: { 'bursar-audience': 'user' } });
      const before = await ask();
      expect(Object.keys(before.body).sort()).toEqual(['canSpend', 'position', 'reason', 'resetAt', 'scopes', 'suggestedActions']);
      expect([before.status, before.body.canSpend, before.headers.get('bursar-budget')]).toEqual([200, true, null]);
      const position = await tenant.record(usageOf('10', { scopes: ['team:me'] }));
      await tenant.get(`me/budget?minPosition=${position}`, WAIT);
      expect((await ask()).body).toMatchObject({ canSpend: false, code: 'budget_exceeded', reason: 'Budget exceeded.' });
    });
  });
};
