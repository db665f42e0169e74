import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Client, Reply } from '../support/client.js';
import { freshTenant, makeBudget, usageOf } from '../support/make.js';

/** The hidden limit as a figure of its own: ids, instants and positions may have the same digits. */
const LIMIT = /(?<![\w.:-])73(?![\w.:-])/;
const AS_USER = { headers: { 'bursar-audience': 'user' } };

/** What answers to who merely spends say of budgets that are not for him to see (PRODUCT F3). */
export const audience = (api: () => Client): void => {
  describe('answers to users', () => {
    let acme: Client;
    let hidden: Reply['body'];
    let open: Reply['body'];
    beforeEach(async () => {
      acme = api().as(freshTenant());
      const permissions = { budgetVisibleToUser: false };
      const thresholds = [{ percent: 50, severity: 'warning', actions: ['restrict-models'], allowedModels: ['mini'] }];
      hidden = await makeBudget(acme, {
        name: 'Secret plan',
        scope: 'team:ml',
        limit: { amount: '73', currency: 'USD' },
        permissions,
        thresholds,
      });
      open = await makeBudget(acme, { name: 'Open', scope: 'user:a', limit: { amount: '900', currency: 'USD' } });
    });
    const SECRET = () => new RegExp(`Secret|${LIMIT.source}|${hidden.id}|\\$`);
    const tells = ({ text, headers }: Reply): string => `${text} ${headers.get('bursar-budget') ?? ''}`;

    test('a check says whether, and no figure of a hidden budget', async () => {
      const ask = (amount: string, path = 'check', more: object = { scopes: ['team:ml', 'user:a'] }) =>
        acme.post(path, { amount, ...more }, AS_USER);
      const yes = await ask('1');
      expect(yes.body).toEqual({
        allowed: true,
        resetAt: expect.any(String),
        suggestedActions: [],
        worstOvershoot: '1',
        position: expect.any(String),
      });
      const no = await ask('74');
      expect(no.body).toMatchObject({ allowed: false, code: 'budget_exceeded', reason: 'Budget exceeded.' });
      const constraints = await ask('74', `budgets/${hidden.id}/check-constraints`, {});
      expect(constraints.body).toMatchObject({ canProceed: false, code: 'budget_exceeded', reason: 'Budget exceeded.' });
      for (const reply of [yes, no, constraints]) expect(tells(reply)).not.toMatch(SECRET());
      expect((await ask('1', 'check', { scopes: ['user:a'] })).body).toMatchObject({ budgetId: open.id, remaining: '900' });
      const full = await acme.post('check', { scopes: ['team:ml', 'user:a'], amount: '1' });
      expect(full.body).toMatchObject({ budgetId: hidden.id, limit: '73' });
      expect([full.text, full.headers.get('bursar-budget')].filter((text) => LIMIT.test(text ?? ''))).toHaveLength(2);
    });

    test('what its thresholds ask is said, and not whose it is', async () => {
      const position = await acme.record(usageOf('40'));
      const body = { scopes: ['team:ml'], amount: '1', dimensions: { model: 'mini' } };
      const path = `check?minPosition=${position}`;
      const reply = await acme.post(path, body, { headers: { ...AS_USER.headers, prefer: 'wait=5' } });
      expect(reply.body.suggestedActions).toEqual([{ action: 'restrict-models', allowedModels: ['mini'] }]);
      expect((await acme.post('check', body)).body.suggestedActions).toMatchObject([{ budgetId: hidden.id }]);
    });

    test('a reservation is held on it and does not name it, whoever asks for it again or looks it up', async () => {
      const { overrideId } = (await acme.post(`budgets/${hidden.id}/overrides`, { amount: '10', duration: '1h', reason: 'r' })).body;
      const body = { id: 'r', scopes: ['team:ml', 'user:a'], amount: '80' };
      const first = await acme.post('reservations', body, AS_USER);
      expect(first).toMatchObject({ status: 201, body: { status: 'held', amount: '80', worstOvershoot: '0' } });
      expect(first.body.budgets).toEqual([{ budgetId: open.id, amount: '80', periodStart: expect.any(String) }]);
      for (const name of ['budgetId', 'remaining', 'graceRemaining', 'overrideIds']) expect(first.body).not.toHaveProperty(name);
      const again = await acme.post('reservations', body, AS_USER);
      expect(again.body).toEqual(first.body);
      const found = await acme.get('reservations/r', AS_USER);
      expect(found.body.budgets).toEqual(first.body.budgets);
      for (const reply of [first, again, found]) expect(tells(reply)).not.toMatch(new RegExp(`${SECRET().source}|${overrideId}`));

      const full = await acme.post('reservations', body);
      expect(full.body).toMatchObject({ budgetId: hidden.id, remaining: '3', overrideIds: [overrideId] });
      expect(full.body.budgets).toHaveLength(2);
      expect(full.headers.get('bursar-budget')).toMatch(/^"Secret plan"/);
      expect((await acme.get('reservations/r')).body.budgets).toHaveLength(2);
    });

    test('all is told of budgets that users may see', async () => {
      const body = { id: 'r', scopes: ['user:a'], amount: '5' };
      const reply = await acme.post('reservations', body, AS_USER);
      expect(reply.body).toMatchObject({ budgetId: open.id, remaining: '895', graceRemaining: '895' });
      expect(reply.headers.get('bursar-budget')).toMatch(/^"Open";limit="900"/);
    });
  });
};
