import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Reply } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const ATTEMPTS = 100;

/** A budget made after usage counts its past first: until then a check is 503, and a client comes back. */
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
