import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Explain (C9): what a spend would meet, and what happened. */
export const explain = (api: () => Client): void => {
  let acme: Client;
  const money = (amount: string, currency = 'USD') => ({ limit: { amount, currency } });
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('explaining what a spend would meet', () => {
    test('names every budget that applies, nearest first, who decided, and the usage that filled each', async () => {
      await acme.post('scopes', { type: 'org', id: 'why' });
      await acme.post('scopes', { type: 'team', id: 'why', parents: ['org:why'] });
      const org = await makeBudget(acme, { name: 'Org', scope: 'org:why', ...money('100') });
      const team = await makeBudget(acme, { name: 'Team', scope: 'team:why', ...money('20') });
      const other = await makeBudget(acme, {
        name: 'Models',
        scope: 'team:why',
        filter: { dimensions: { model: 'big-*' } },
        ...money('1'),
      });
      for (const amount of ['1', '7', '3', '2', '1', '1'])
        await acme.record(usageOf(amount, { scopes: ['team:why'], description: amount }));
      const last = await acme.post('usage', usageOf('40', { scopes: ['org:why'] }));
      await acme.get(`budgets/${org.id}/status?minPosition=${last.body.results[0].position}`, WAIT);

      const { status, body } = await acme.post('explain', { scopes: ['team:why'], amount: '6' });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        subject: { kind: 'check', id: null },
        path: ['team:why', 'org:why', `tenant:${acme.tenant}`],
        amount: { amount: '6', currency: 'USD' },
        allowed: false,
        code: 'budget_exceeded',
        decidedBy: team.id,
        budgets: [
          { budgetId: team.id, decided: true, fits: false, amount: '6', currentSpend: '15', graceRemaining: '5', eventCount: 6 },
          { budgetId: org.id, decided: false, fits: true, amount: '6', currentSpend: '55', graceRemaining: '45', eventCount: 7 },
        ],
      });
      expect(body.budgets[0].events.map(({ amount }: { amount: string }) => amount)).toEqual(['7', '3', '2', '1', '1']);
      expect(body.budgets[1].events[0]).toMatchObject({ amount: '40', eventId: last.body.results[0].eventId, scopes: ['org:why'] });

      const big = await acme.post('explain', { scopes: ['team:why'], amount: '2', dimensions: { model: 'big-1' } });
      expect(big.body.budgets.map(({ budgetId }: { budgetId: string }) => budgetId)).toEqual([team.id, other.id, org.id]);
      expect(big.body).toMatchObject({ decidedBy: other.id, allowed: false });
    });

    test('shows the override that had expired, and not the one that lives', async () => {
      const { id } = await makeBudget(acme, { scope: 'team:lapsed', ...money('10') });
      const over = await acme.post(`budgets/${id}/overrides`, { amount: '5', duration: '1s', reason: 'peak' });
      await acme.post(`budgets/${id}/overrides`, { amount: '1', duration: '1h', reason: 'still' });
      for (let tries = 0; ; tries += 1) {
        const { body } = await acme.post('explain', { scopes: ['team:lapsed'], amount: '12' });
        if (body.budgets[0].expiredOverrides.length > 0) {
          const { overrideId, expiresAt } = over.body;
          const amount = { amount: '5', currency: 'USD' };
          expect(body.budgets[0]).toMatchObject({ effectiveLimit: '11', fits: false, override: { amount: '1' } });
          expect(body.budgets[0].expiredOverrides).toEqual([{ overrideId, amount, expiresAt, reason: 'peak' }]);
          return;
        }
        expect(tries).toBeLessThan(200);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    });
  });

  describe('explaining what happened', () => {
    test('usage: who counted it, how much of it, and how they stood at its position', async () => {
      const budget = await makeBudget(acme, { scope: 'user:did', ...money('100') });
      const split = [
        { scope: 'user:did', percent: '25' },
        { scope: 'user:else', percent: '75' },
      ];
      const used = await acme.post('usage', usageOf('8', { scopes: ['user:did'], allocation: split }));
      const { eventId, position } = used.body.results[0];
      const later = await acme.post('usage', usageOf('50', { scopes: ['user:did'] }));
      await acme.get(`budgets/${budget.id}/status?minPosition=${later.body.results[0].position}`, WAIT);
      const { body } = await acme.post('explain', { eventId });
      expect(body).toMatchObject({
        subject: { kind: 'event', id: eventId, type: 'UsageRecorded' },
        position,
        amount: { amount: '8', currency: 'USD' },
        allowed: null,
        decidedBy: null,
        budgets: [{ budgetId: budget.id, amount: '2', fits: null, currentSpend: '2', eventCount: 1 }],
      });
      // Gone since, it is explained as it was.
      await acme.delete(`budgets/${budget.id}`);
      expect((await acme.post('explain', { eventId })).body.budgets).toMatchObject([{ budgetId: budget.id, currentSpend: '2' }]);
    });

    test('an alert: the usage that crossed it, and the budget it is of', async () => {
      // Where there is usage already, a budget is counted first, and what comes meanwhile crosses when it is.
      const tenant = acme.as(freshTenant());
      const budget = await makeBudget(tenant, { scope: 'team:alarm', ...money('10') });
      const used = await tenant.post('usage', usageOf('9', { scopes: ['team:alarm'] }));
      const { position } = used.body.results[0];
      const { body: shown } = await tenant.get(`budgets/${budget.id}?minPosition=${position}`, WAIT);
      const [alert] = shown.status.activeAlerts;
      for (let tries = 0; ; tries += 1) {
        const { status, body } = await tenant.post('explain', { alertId: alert.alertId });
        if (status === 200) {
          expect(body).toMatchObject({ subject: { kind: 'alert', type: 'ThresholdCrossed' }, position, decidedBy: budget.id });
          expect(body.budgets).toMatchObject([
            { budgetId: budget.id, decided: true, currentSpend: '9', percentUsed: '90.00', amount: '9' },
          ]);
          return;
        }
        // Decided with the balance; told to the ledger a moment later.
        expect([status, tries < 200]).toEqual([404, true]);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    });

    test('nothing that is not there, or of somebody else', async () => {
      const used = await acme.post('usage', usageOf('1', { scopes: ['user:mine'] }));
      const { eventId } = used.body.results[0];
      expectProblem(await acme.as(freshTenant()).post('explain', { eventId }), 404, 'not_found');
      for (const subject of [{ eventId: 'none' }, { alertId: 'none' }, { decisionId: 'none' }, { decisionId: eventId }]) {
        expectProblem(await acme.post('explain', subject), 404, 'not_found');
      }
      expectProblem(await acme.post('explain', { eventId, alertId: eventId }), 400, 'exclusive');
      expectProblem(await acme.post('explain', { scopes: ['user:mine'] }), 400, 'exclusive', '/amount');
    });
  });

  describe('an amount without a currency', () => {
    test('is explained in the tenant’s own', async () => {
      const tenant = acme.as(freshTenant());
      const set = await tenant.put(`tenants/${tenant.tenant}/settings`, { currency: 'EUR' });
      expect(set.status).toBe(200);
      const budget = await makeBudget(tenant, { scope: 'team:euro', ...money('10', 'EUR') });
      const { body } = await tenant.post('explain', { scopes: ['team:euro'], amount: '11' });
      expect(body).toMatchObject({
        amount: { amount: '11', currency: 'EUR' },
        allowed: false,
        budgets: [{ budgetId: budget.id, amount: '11', fits: false }],
      });
    });
  });
};
