import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Explain (C9) of reservations: refused, granted, and decided together. */
export const explainDecisions = (api: () => Client): void => {
  let acme: Client;
  const money = (amount: string, currency = 'USD') => ({ limit: { amount, currency } });
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('a refused reservation', () => {
    const refusedOnce = async (scope: string, more: object = {}) => {
      const budget = await makeBudget(acme, { scope, ...money('10'), ...more });
      const position = await acme.record(usageOf('4', { scopes: [scope] }));
      const ask = () => acme.post(`reservations?minPosition=${position}`, { scopes: [scope], amount: '7', category: 'chat' }, WAIT);
      return { budget, ask, refused: await ask() };
    };
    /** Behind the answer, so it comes a moment later. */
    const listed = async (path: string) => {
      for (let tries = 0; ; tries += 1) {
        const { body } = await acme.get(path);
        if (body.data.length > 0) return body.data;
        expect(tries).toBeLessThan(400);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    const history = (id: string) => listed(`budgets/${id}/usage?status=refused`);

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
        reason: 'Budget exceeded.',
        decidedBy: budget.id,
        amount: { amount: '7', currency: 'USD' },
        budgets: [{ budgetId: budget.id, decided: true, fits: false, amount: '7', currentSpend: '4', graceRemaining: '6', eventCount: 1 }],
      });
      const { body: status } = await acme.get(`budgets/${budget.id}/status?minPosition=${line.position}`, WAIT);
      expect(status).toMatchObject({ currentSpend: '4', reserved: '0' });
    });

    test('can be explained by whoever has just heard of it', async () => {
      const scopes = ['team:just-refused'];
      const { id } = await makeBudget(acme, { scope: scopes[0], ...money('10') });
      for (let n = 0; n < 20; n += 1) {
        const { body: refused } = await acme.post('reservations', { scopes, amount: '11', category: `c${n}` });
        const { decisionId } = refused;
        const why = await acme.post('explain', { decisionId });
        expect(why).toMatchObject({ status: 200, body: { subject: { id: decisionId }, allowed: false, decidedBy: id } });
      }
    });

    test('that never was is not there, after a while; of another form it is not looked for again', async () => {
      const isAfter = async (decisionId: string): Promise<number> => {
        const startedAt = performance.now();
        expectProblem(await acme.post('explain', { decisionId }), 404, 'not_found');
        return performance.now() - startedAt;
      };
      expect(await isAfter(randomUUID())).toBeGreaterThan(1_900);
      expect(await isAfter('never-granted')).toBeLessThan(1_900);
      const startedAt = performance.now();
      expectProblem(await acme.post('explain', { decisionId: 'a\u0000' }), 400);
      expect(performance.now() - startedAt).toBeLessThan(1_900);
    });

    test('for want of a price too: named, in the history without an amount, explained and noticed', async () => {
      const { id } = await makeBudget(acme, { scope: 'team:unpriced', ...money('10') });
      const ask = () => acme.post('reservations', { scopes: ['team:unpriced'], meter: 'nobody', quantities: { things: '3' } });
      const refused = await ask();
      expectProblem(refused, 402, 'price_missing');
      expect(refused.headers.get('bursar-position')).toBe(refused.body.position);
      const { decisionId } = refused.body;
      expect(refused.body).toMatchObject({ budgetId: id, amount: null, unpriced: ['things'], currentSpend: '0', limit: '10' });
      expect((await ask()).body.decisionId).toBe(decisionId);
      const [line] = await history(id);
      expect(line).toMatchObject({ id: decisionId, code: 'price_missing', cost: null, unpriced: ['things'], amount: '0', refusedBy: id });
      expect((await acme.post('explain', { decisionId })).body).toMatchObject({
        subject: { kind: 'decision', id: decisionId, type: 'UsageRefused' },
        allowed: false,
        code: 'price_missing',
        reason: 'No price covers: things.',
        decidedBy: id,
        amount: null,
        budgets: [{ budgetId: id, decided: true, amount: null, fits: null, graceRemaining: '10' }],
      });
      const message = 'Blocked: no price covers things. Budget at 0.0% (0.0/10.0 USD)';
      expect(await listed(`alerts?budgetId=${id}`)).toMatchObject([{ event: 'call.blocked', type: 'BLOCKED', message }]);
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
      const lines = async (decisionId: string) => (await acme.post('explain', { decisionId })).body.budgets;
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
};
