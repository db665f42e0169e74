import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Explain (C9) and self-inspection (C12). */
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
      const budget = await makeBudget(acme, { scope: 'team:alarm', ...money('10') });
      const used = await acme.post('usage', usageOf('9', { scopes: ['team:alarm'] }));
      const { position } = used.body.results[0];
      const { body: shown } = await acme.get(`budgets/${budget.id}?minPosition=${position}`, WAIT);
      const [alert] = shown.status.activeAlerts;
      for (let tries = 0; ; tries += 1) {
        const { status, body } = await acme.post('explain', { alertId: alert.alertId });
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

  describe('a refused reservation', () => {
    const refusedOnce = async (scope: string, more: object = {}) => {
      const budget = await makeBudget(acme, { scope, ...money('10'), ...more });
      const position = await acme.record(usageOf('4', { scopes: [scope] }));
      const ask = () => acme.post(`reservations?minPosition=${position}`, { scopes: [scope], amount: '7', category: 'chat' }, WAIT);
      return { budget, ask, refused: await ask() };
    };
    /** Behind the answer, so it comes a moment later. */
    const history = async (id: string) => {
      for (let tries = 0; ; tries += 1) {
        const { body } = await acme.get(`budgets/${id}/usage?status=refused`);
        if (body.data.length > 0) return body.data;
        expect(tries).toBeLessThan(400);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };

    test('is in the history as refused, charges nothing, and can be explained', async () => {
      const { budget, ask, refused } = await refusedOnce('team:refused');
      expectProblem(refused, 402, 'budget_exceeded');
      expect(refused.headers.get('bursar-budget')).toMatch(/;limit="10";used="4";reserved="0";remaining="6";/);
      const { decisionId } = refused.body;
      // Repeats within a minute are counted, and named like the first.
      expect((await ask()).body.decisionId).toBe(decisionId);
      const [line] = await history(budget.id);
      expect(line).toMatchObject({
        id: decisionId,
        status: 'refused',
        code: 'budget_exceeded',
        cost: { amount: '7', currency: 'USD' },
        amount: '0',
        category: 'chat',
        count: 1,
        refusedBy: budget.id,
      });
      expect((await acme.get(`budgets/${budget.id}/usage?status=succeeded`)).body.data).toHaveLength(1);
      const { body } = await acme.post('explain', { decisionId });
      expect(body).toMatchObject({
        subject: { kind: 'decision', id: decisionId, type: 'UsageRefused' },
        allowed: false,
        code: 'budget_exceeded',
        decidedBy: budget.id,
        amount: { amount: '7', currency: 'USD' },
        budgets: [{ budgetId: budget.id, decided: true, fits: false, amount: '7', currentSpend: '4', graceRemaining: '6', eventCount: 1 }],
      });
      const { body: status } = await acme.get(`budgets/${budget.id}/status?minPosition=${line.position}`, WAIT);
      expect(status).toMatchObject({ currentSpend: '4', reserved: '0' });
    });

    test('says no figure of a budget that its reader may not see', async () => {
      const permissions = { budgetVisibleToUser: false };
      const { budget } = await refusedOnce('team:hidden', { permissions, name: 'Secret plan' });
      const body = { scopes: ['team:hidden'], amount: '7' };
      const reply = await acme.post('reservations', body, { headers: { 'bursar-audience': 'user' } });
      expectProblem(reply, 402, 'budget_exceeded');
      expect(Object.keys(reply.body).sort()).toEqual(
        [
          'category',
          'code',
          'decisionId',
          'detail',
          'instance',
          'position',
          'remediation',
          'resetAt',
          'retryable',
          'status',
          'title',
          'type',
        ].sort(),
      );
      expect(reply.text).not.toMatch(new RegExp(`Secret|\\$|${budget.id}|team:hidden`));
      expect(reply.headers.get('bursar-budget')).toBeNull();
      expect((await acme.post('reservations', body)).body).toMatchObject({ budgetId: budget.id, currentSpend: '4' });
      await history(budget.id);
      const asUser = { headers: { 'bursar-audience': 'user' } };
      for (const asked of [{ decisionId: reply.body.decisionId }, body]) {
        const why = await acme.post('explain', asked, asUser);
        expect(why.body).toMatchObject({ allowed: false, code: 'budget_exceeded', decidedBy: null, budgets: [] });
        expect(why.text).not.toMatch(new RegExp(`Secret|${budget.id}`));
        expect((await acme.post('explain', asked)).body).toMatchObject({ decidedBy: budget.id, budgets: [{ currentSpend: '4' }] });
      }
    });
  });

  describe('decisions that came together', () => {
    test('are explained with the room that each of them saw, on every budget', async () => {
      await acme.post('scopes', { type: 'org', id: 'crowd' });
      await acme.post('scopes', { type: 'team', id: 'crowd', parents: ['org:crowd'] });
      const org = await makeBudget(acme, { scope: 'org:crowd', ...money('20.5') });
      const team = await makeBudget(acme, { scope: 'team:crowd', ...money('20') });
      const asks = Array.from({ length: 30 }, (_, n) => acme.post('reservations', { id: `c-${n}`, scopes: ['team:crowd'], amount: '1' }));
      const replies = await Promise.all(asks);
      const refused = replies.find(({ status }) => status === 402);
      const lines = async (decisionId: string) => {
        // A refusal is recorded behind its answer.
        for (;;) {
          const { status, body } = await acme.post('explain', { decisionId });
          if (status !== 404) return body.budgets;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      expect(await lines(refused?.body.decisionId)).toMatchObject([
        { budgetId: team.id, decided: true, reserved: '20', graceRemaining: '0', fits: false },
        { budgetId: org.id, decided: false, reserved: '20', graceRemaining: '0.5', fits: false },
      ]);
      const [line] = (await acme.get(`budgets/${org.id}/usage?status=refused`)).body.data;
      const byEvent = await acme.post('explain', { eventId: line.eventId });
      expect(byEvent.body.budgets).toEqual(await lines(line.id));
      const granted = replies.filter(({ status }) => status === 201);
      expect(granted).toHaveLength(20);
      for (const { body } of granted) {
        const left = Number(body.remaining) + 1;
        expect(await lines(body.reservationId)).toMatchObject([
          { graceRemaining: String(left), fits: true, decided: true },
          { graceRemaining: String(left + 0.5), fits: true, decided: false },
        ]);
      }
    });
  });

  describe('a granted reservation', () => {
    test('is explained by its id, as its owner decided it, whatever was spent since', async () => {
      const team = await makeBudget(acme, { scope: 'team:granted', ...money('20') });
      const models = await makeBudget(acme, {
        scope: 'team:granted',
        filter: { dimensions: { model: 'big-*' } },
        ...money('9', 'EUR'),
        enforcement: { mode: 'notify' },
      });
      const { body: over } = await acme.post(`budgets/${team.id}/overrides`, { amount: '2', duration: '1h', reason: 'peak' });
      const position = await acme.record(usageOf('5', { scopes: ['team:granted'] }));
      const body = { id: 'granted-1', scopes: ['team:granted'], amount: '16', dimensions: { model: 'big-1' } };
      const held = await acme.post(`reservations?minPosition=${position}`, body, WAIT);
      expect([held.status, held.body.overrideIds]).toEqual([201, [over.overrideId]]);
      await acme.record(usageOf('1', { scopes: ['team:granted'] }));
      const { status, body: why } = await acme.post('explain', { decisionId: 'granted-1' });
      expect(status).toBe(200);
      expect(why).toMatchObject({
        subject: { kind: 'decision', id: 'granted-1', type: 'HoldsChanged' },
        at: held.body.grantedAt,
        path: ['team:granted', `tenant:${acme.tenant}`],
        amount: { amount: '16', currency: 'USD' },
        allowed: true,
        code: null,
        decidedBy: team.id,
      });
      const shown = why.budgets.map(({ budgetId, amount, fits, currentSpend, reserved, effectiveLimit }: Record<string, unknown>) => ({
        budgetId,
        amount,
        fits,
        currentSpend,
        reserved,
        effectiveLimit,
      }));
      expect(shown).toEqual(
        expect.arrayContaining([
          { budgetId: team.id, amount: '16', fits: true, currentSpend: '5', reserved: '0', effectiveLimit: '22' },
          { budgetId: models.id, amount: null, fits: null, currentSpend: '0', reserved: '0', effectiveLimit: '9' },
        ]),
      );
      expectProblem(await acme.as(freshTenant()).post('explain', { decisionId: 'granted-1' }), 404, 'not_found');
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
