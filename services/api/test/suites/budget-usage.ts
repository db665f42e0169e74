import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget } from '../support/make.js';

export const budgetUsage = (api: () => Client): void => {
  let acme: Client;
  let id: string;
  beforeAll(async () => {
    acme = api().as(freshTenant());
    ({ id } = await makeBudget(acme, { scope: 'team:ops' }));
  });
  const spend = async (): Promise<string> => (await acme.get(`budgets/${id}/status`)).body.currentSpend;

  describe('usage by the address of a budget', () => {
    test('the short form is a usage event on its scope, counted when it is answered, once per request id', async () => {
      const body = { amount: '1.25', description: 'a call', metadata: { requestId: 'r-1', modelId: 'gpt-4o' } };
      const first = await acme.post(`budgets/${id}/usage`, body);
      expect([first.status, first.body]).toMatchObject([
        201,
        { id: 'r-1', source: 'api', status: 'accepted', budgetId: id, scopes: ['team:ops'] },
      ]);
      expect(first.headers.get('bursar-position')).toBe(first.body.position);
      expect(await spend()).toBe('1.25');
      const again = await acme.post(`budgets/${id}/usage`, body);
      expect([again.status, again.body]).toEqual([201, { ...first.body, status: 'duplicate' }]);
      expectProblem(await acme.post(`budgets/${id}/usage`, { ...body, amount: '2' }), 409, 'idempotency_conflict');
      expect(await spend()).toBe('1.25');
      const [item] = (await acme.get(`budgets/${id}/usage`)).body.data;
      expect(item).toMatchObject({ eventId: first.body.eventId, amount: '1.25', description: 'a call', dimensions: { model: 'gpt-4o' } });
    });
    test('a whole event, whose id may be the Idempotency-Key or made', async () => {
      const event = { source: 'relay', cost: { amount: 0.5, currency: 'USD' }, scopes: ['user:a'], status: 'failed' };
      const keyed = await acme.post(`budgets/${id}/usage`, event, { headers: { 'idempotency-key': 'k-1' } });
      expect(keyed.body).toMatchObject({ id: 'k-1', source: 'relay', scopes: ['team:ops', 'user:a'], status: 'accepted' });
      const [one, two] = [await acme.post(`budgets/${id}/usage`, event), await acme.post(`budgets/${id}/usage`, event)];
      expect(one.body.id).not.toBe(two.body.id);
      expect((await acme.post(`budgets/${id}/usage`, { ...event, id: 'own' })).body.id).toBe('own');
      expect(await spend()).toBe('3.25');
    });
    test.each([5, '', ['r']])('a request id that is none (%p) is refused: with a made one a retry would count twice', async (requestId) => {
      const body = { amount: '1', metadata: { requestId } };
      expect((await acme.post(`budgets/${id}/usage`, body)).status).toBe(400);
    });
    test('what is no usage changes nothing', async () => {
      const before = await spend();
      for (const [body, code, pointer] of [
        [{ amount: '-1' }, 'negative', '/amount'],
        [{ amount: '1', scopes: ['team:x'] }, 'unknown_field', '/scopes'],
        [{}, 'no_cost', ''],
        [{ cost: { amount: '1' }, shoes: 1 }, 'unknown_field', '/shoes'],
        [{ amount: '1', occurredAt: '2199-01-01T00:00:00Z' }, 'future', '/occurredAt'],
        [{ events: [] }, undefined, undefined],
      ] as const) {
        expectProblem(await acme.post(`budgets/${id}/usage`, body), 400, code, pointer);
      }
      expectProblem(await acme.post('budgets/nobody/usage', { amount: '1' }), 404, 'not_found');
      expectProblem(await api().as(freshTenant()).post(`budgets/${id}/usage`, { amount: '1' }), 404, 'not_found');
      expect(await spend()).toBe(before);
    });
  });
};
