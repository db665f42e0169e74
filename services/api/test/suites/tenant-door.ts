import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** The budget of a whole tenant, by the tenant profile. */
export const tenantDoor = (api: () => Client): void => {
  describe('the tenant door (B6, B10)', () => {
    let acme: Client;
    const admin = (suffix = ''): string => `admin/tenants/${acme.tenant}/budget${suffix}`;
    beforeEach(() => {
      acme = api().as(freshTenant());
    });

    test('is changed at the version that If-Match names, and no other', async () => {
      const at = (tag: string) => ({ headers: { 'if-match': tag } });
      expectProblem(await acme.put(admin(), {}, at('"0"')), 412, 'precondition_failed');
      const tag = (await acme.put(admin(), {})).headers.get('etag') ?? '';
      expect((await acme.put(admin(), { maxBudget: '600' }, at(tag))).body).toMatchObject({ maxBudget: '600' });
      expectProblem(await acme.put(admin(), { maxBudget: '700' }, at(tag)), 412, 'precondition_failed');
    });

    test('500.00 USD, 80 warning, 100 critical, block at 110, rolling 30 days from the creation of the tenant', async () => {
      await acme.record(usageOf('1'));
      const made = await acme.put(admin(), {});
      expect(made.status).toBe(200);
      expect(made.body).toMatchObject({
        tenantId: acme.tenant,
        maxBudget: '500',
        alertThreshold: 80,
        graceThreshold: 110,
        budgetDuration: '30d',
        scope: `tenant:${acme.tenant}`,
        limit: { amount: '500', currency: 'USD' },
        period: { kind: 'rolling', length: '30d' },
        thresholds: [
          { percent: 80, severity: 'warning' },
          { percent: 100, severity: 'critical' },
        ],
        levels: { yellow: 80, red: 100 },
        enforcement: { mode: 'block', blockAtPercent: 110 },
      });
      expect(Date.parse(made.body.period.anchor)).toBeLessThan(Date.parse(made.body.createdAt));
      const changed = await acme.put(admin(), { maxBudget: '1000', alertThreshold: 70, graceThreshold: 120, budgetDuration: '60d' });
      expect(changed.body).toMatchObject({
        id: made.body.id,
        maxBudget: '1000',
        alertThreshold: 70,
        graceThreshold: 120,
        budgetDuration: '60d',
        period: { anchor: made.body.period.anchor },
      });
      expect((await acme.put(admin(), { maxBudget: 800 })).body).toMatchObject({
        maxBudget: '800',
        alertThreshold: 70,
        graceThreshold: 120,
      });
      expect((await acme.get('budgets')).body.data).toHaveLength(1);
    });

    test.each([
      [{ maxBudget: '0' }, '/maxBudget'],
      [{ maxBudget: '1', alertThreshold: 49 }, '/alertThreshold'],
      [{ maxBudget: '1', graceThreshold: 99 }, '/graceThreshold'],
      [{ maxBudget: '1', graceThreshold: 151 }, '/graceThreshold'],
      [{ maxBudget: '1', budgetDuration: 'x' }, '/budgetDuration'],
    ])('%j is refused', async (body, pointer) => {
      expectProblem(await acme.put(admin(), body), 400, undefined, pointer);
    });

    test('is an editable template, and in the tenant’s currency', async () => {
      await acme.put(`tenants/${acme.tenant}/settings`, { currency: 'EUR' });
      await acme.post('templates', { name: 'tenant', budget: { limit: { amount: '50' }, period: { kind: 'rolling', length: '7d' } } });
      expect((await acme.put(admin(), { graceThreshold: 130 })).body).toMatchObject({
        limit: { amount: '50', currency: 'EUR' },
        budgetDuration: '7d',
        graceThreshold: 130,
      });
      expect((await acme.delete('templates/tenant')).status).toBe(204);
      expectProblem(await acme.delete('templates/tenant'), 404);
      const { data } = (await acme.get('templates')).body;
      expect(data.find(({ name }: { name: string }) => name === 'tenant')).toMatchObject({ builtIn: true });
    });

    test.each(['/api/v1', ''])('an override by the door %s/admin', async (prefix) => {
      const door = `${prefix}/admin/tenants/${acme.tenant}/budget-override`;
      const wish = { overrideAmount: '250', duration: '7d', reason: 'launch' };
      expectProblem(await acme.post(door, wish), 404);
      const { body: budget } = await acme.put(`${prefix}/admin/tenants/${acme.tenant}/budget`, { maxBudget: '500' });
      const granted = await acme.post(door, wish);
      expect(granted.status).toBe(201);
      expect(granted.body).toMatchObject({
        tenantId: acme.tenant,
        budgetId: budget.id,
        overrideId: expect.any(String),
        amount: '250',
        reason: 'launch',
        createdBy: 'key:admin',
        expiresAt: expect.any(String),
        createdAt: expect.any(String),
      });
      const limit = async () => (await acme.get(`budgets/${budget.id}/status`)).body.effectiveLimit;
      expect(await limit()).toBe('750');
      expect((await acme.post(door, { ...wish, overrideAmount: 1 })).status).toBe(201);
      expect(await limit()).toBe('751');
      expect((await acme.delete(door)).status).toBe(204);
      expect(await limit()).toBe('500');
      expect((await acme.delete(door)).status).toBe(204);
      expectProblem(await acme.post(door, { ...wish, reason: '' }), 400, undefined, '/reason');
      expectProblem(await acme.post(door, { overrideAmount: '0', duration: '7d', reason: 'r' }), 400, undefined, '/overrideAmount');
    });

    test('one that was deleted is made anew; without one the oldest budget of the root is meant', async () => {
      const own = await makeBudget(acme, { scope: `tenant:${acme.tenant}` });
      const wish = { overrideAmount: '1', duration: '1d', reason: 'r' };
      expect((await acme.post(admin('-override'), wish)).body.budgetId).toBe(own.id);
      const { body: first } = await acme.put(admin(), {});
      await acme.delete(`budgets/${first.id}`);
      const { body: second } = await acme.put(admin(), {});
      expect(second.id).not.toBe(first.id);
      expect((await acme.post(admin('-override'), wish)).body.budgetId).toBe(second.id);
    });
  });
};
