import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Reply } from '../support/client.js';
import { budgetBody, expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const ATTEMPTS = 100;

/** A budget made after usage counts its past first: where that takes longer than a check waits it is 503, and a client comes back. */
const asked = async (ask: () => Promise<Reply>): Promise<Reply> => {
  for (let attempt = 0; ; attempt += 1) {
    const reply = await ask();
    if (reply.body.code !== 'counting' || attempt === ATTEMPTS) return reply;
    expect(reply.headers.get('retry-after')).toBe('1');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

export const check = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('check, passed on to the owner', () => {
    test('reads what was just written, twenty times of twenty', async () => {
      const enforcement = { mode: 'block', blockAtPercent: 100, autoPause: false };
      const { id } = await makeBudget(acme, { limit: { amount: '20', currency: 'USD' }, enforcement });
      for (let round = 1; round <= 20; round += 1) {
        const position = await acme.record(usageOf('1'));
        const ask = () => acme.post(`check?minPosition=${position}`, { scopes: ['team:ml'], amount: 1 }, { headers: { prefer: 'wait=5' } });
        const { status, body, headers } = await asked(ask);
        expect([status, body.allowed, body.currentSpend, body.budgetId]).toEqual([200, round < 20, String(round), id]);
        expect(headers.get('bursar-owner')).toMatch(/^http:\/\//);
      }
    });

    test('a budget made after usage is asked about at once: what was spent before it counts', async () => {
      const tenant = acme.as(freshTenant());
      await tenant.record(usageOf('4'));
      for (let batch = 0; batch < 3; batch += 1) {
        await tenant.record(...Array.from({ length: 1_000 }, () => usageOf('1', { scopes: ['team:other'] })));
      }
      const enforcement = { mode: 'block', blockAtPercent: 100, autoPause: false };
      const made = await tenant.post('budgets', budgetBody({ limit: { amount: '10', currency: 'USD' }, enforcement }));
      const asked = { scopes: ['team:ml'], amount: '6' };
      const [held, check, constraints] = await Promise.all([
        tenant.post('reservations', asked, { headers: { 'idempotency-key': randomUUID() } }),
        tenant.post('check', { ...asked, amount: '7' }),
        tenant.post(`budgets/${made.body.id}/check-constraints`, { amount: '7' }),
      ]);
      expect([made.status, held.status, check.status, constraints.status]).toEqual([201, 201, 200, 200]);
      expect(held.body).toMatchObject({ status: 'held', remaining: '0' });
      expect(check.body).toMatchObject({ allowed: false, code: 'budget_exceeded', currentSpend: '4' });
      expect(constraints.body).toMatchObject({ canProceed: false, code: 'budget_exceeded', currentSpend: '4' });
      expectProblem(await tenant.post('reservations', { ...asked, amount: '0.1' }), 402, 'budget_exceeded');
    });

    test('a pause, a raise and a limit that were answered count at once', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '10', currency: 'USD' } });
      const constraints = async (amount: string) => (await asked(() => tenant.post(`budgets/${id}/check-constraints`, { amount }))).body;
      expect(await constraints('50')).toMatchObject({ canProceed: false, code: 'budget_exceeded', budgetId: id });
      await tenant.post(`budgets/${id}/overrides`, { amount: { amount: '40', currency: 'USD' }, duration: 'PT1H', reason: 'launch' });
      expect(await constraints('50')).toMatchObject({ canProceed: true, reason: null, limit: '50' });
      await tenant.post(`budgets/${id}/pause`, { reason: 'audit' });
      expect(await constraints('1')).toMatchObject({
        canProceed: false,
        code: 'budget_paused',
        reason: 'Budget Monthly is paused: audit.',
      });
      await tenant.post(`budgets/${id}/resume`, {});
      expect(await constraints('1')).toMatchObject({ canProceed: true });
    });

    test('what is no question is refused', async () => {
      expectProblem(await acme.post('check', { scopes: [], amount: '1' }), 400, 'too_few', '/scopes');
      expectProblem(await acme.post('check', { scopes: ['team:ml'] }), 400, 'required', '/amount');
      expectProblem(await acme.post('budgets/absent/check-constraints', { amount: '1' }), 404, 'not_found');
      expectProblem(await acme.post('reservations', { scopes: ['team:ml'] }), 400, 'exclusive', '/amount');
    });
  });
};
