import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
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
    test('the same usage through another budget adds its scope, and charges nobody twice', async () => {
      const tenant = api().as(freshTenant());
      await tenant.post('scopes', { type: 'org', id: 'o' });
      for (const team of ['a', 'b', 'c']) await tenant.post('scopes', { type: 'team', id: team, parents: ['org:o'] });
      const ids: Record<string, string> = {};
      for (const scope of ['team:a', 'team:b', 'team:c', 'org:o']) ids[scope] = (await makeBudget(tenant, { scope })).id;
      const pool = await makeBudget(tenant, { scope: 'team:b', members: ['team:a', 'team:c'] });
      const spends = async () =>
        Object.fromEntries(
          await Promise.all(
            [...Object.entries(ids), ['pool', pool.id] as const].map(async ([name, budgetId]) => {
              const { body } = await tenant.get(`budgets/${budgetId}/status`);
              return [name, body.currentSpend];
            }),
          ),
        );
      const body = { amount: '4', currency: 'USD', source: 'relay', metadata: { requestId: 'call-1' } };
      const use = (scope: string, more: object = {}) => tenant.post(`budgets/${ids[scope]}/usage`, { ...body, ...more });
      const first = await use('team:a');
      expect(await spends()).toEqual({ 'team:a': '4', 'team:b': '0', 'team:c': '0', 'org:o': '4', pool: '4' });
      const second = await use('team:b');
      expect([second.status, second.body]).toMatchObject([201, { status: 'accepted', id: 'call-1', source: 'relay', scopes: ['team:b'] }]);
      expect(await spends()).toEqual({ 'team:a': '4', 'team:b': '4', 'team:c': '0', 'org:o': '4', pool: '4' });
      // Again, and through who is charged already: nothing.
      expect((await use('team:b')).body).toMatchObject({ status: 'duplicate' });
      expect((await use('team:a')).body).toMatchObject({ status: 'duplicate', eventId: first.body.eventId });
      await use('org:o');
      await use('team:c');
      expect(await spends()).toEqual({ 'team:a': '4', 'team:b': '4', 'team:c': '4', 'org:o': '4', pool: '4' });
      expectProblem(await use('team:c', { amount: '5' }), 409, 'idempotency_conflict');
      // What is read from elsewhere agrees: rollups, the ledger, a budget that is made later, and the past.
      const { body: at } = await tenant.get(`budgets/${ids['team:c']}/status`);
      expect((await tenant.get(`budgets/${ids['team:c']}/status?asOf=${at.position}`)).body.currentSpend).toBe('4');
      expect((await tenant.get(`budgets/${ids['org:o']}/status?asOf=${at.position}`)).body.currentSpend).toBe('4');
      const breakdown = await tenant.get(`scopes/org/o/usage/summary?minPosition=${at.position}`, WAIT);
      expect(breakdown.body).toMatchObject({ spend: [{ amount: '4', currency: 'USD' }], events: 1 });
      const team = await tenant.get(`scopes/team/c/usage/breakdown?by=ticket&minPosition=${at.position}`, WAIT);
      expect(team.body.total).toMatchObject({ spend: [{ amount: '4', currency: 'USD' }], events: 1 });
      const late = await makeBudget(tenant, { scope: 'org:o' });
      const counted = async (): Promise<{ status: string; currentSpend: string }> => {
        const { body: status } = await tenant.get(`budgets/${late.id}/status`);
        return status.status === 'counting' ? counted() : status;
      };
      expect((await counted()).currentSpend).toBe('4');
      // A void takes back all of it, and nothing is added to what was voided.
      const voided = await tenant.post(`usage/${first.body.eventId}/void`, { reason: 'wrong' });
      expect(voided.status).toBe(202);
      await tenant.get(`budgets/${late.id}/status?minPosition=${voided.body.position}`, WAIT);
      expect(await spends()).toEqual({ 'team:a': '0', 'team:b': '0', 'team:c': '0', 'org:o': '0', pool: '0' });
      ids.other = (await makeBudget(tenant, { scope: 'team:other' })).id;
      expectProblem(await use('other'), 409, 'idempotency_conflict');
    });
    test('twenty at once through ten budgets charge each once, and who is above them once', async () => {
      const tenant = api().as(freshTenant());
      const root = await makeBudget(tenant, { scope: `tenant:${tenant.tenant}` });
      const budgets = await Promise.all(Array.from({ length: 10 }, (_, n) => makeBudget(tenant, { scope: `team:t${n}` })));
      const body = { amount: '1', currency: 'USD', metadata: { requestId: 'same' } };
      const replies = await Promise.all([...budgets, ...budgets].map(({ id: budgetId }) => tenant.post(`budgets/${budgetId}/usage`, body)));
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 201));
      const positions = replies.map(({ body: { position } }) => Number(position.split(':')[1]));
      const last = replies[positions.indexOf(Math.max(...positions))]?.body.position;
      const spent = async (budgetId: string) =>
        (await tenant.get(`budgets/${budgetId}/status?minPosition=${last}`, WAIT)).body.currentSpend;
      expect(await Promise.all([root, ...budgets].map(({ id: budgetId }) => spent(budgetId)))).toEqual(Array(11).fill('1'));
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
