import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** PRODUCT A8 (void) and A14 (allocation), through the api's address and into every figure. */
export const corrections = (api: () => Client): void => {
  let acme: Client;
  beforeAll(async () => {
    acme = api().as(freshTenant());
    await acme.post('scopes', { type: 'team', id: 'ml', parents: ['org:x'] });
    await acme.post('scopes', { type: 'team', id: 'ops', parents: ['org:x'] });
  });
  const record = async (usage: object): Promise<{ eventId: string; position: string }> => (await acme.post('usage', usage)).body.results[0];
  const statusOf = async (id: string, position: string) => (await acme.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body;
  const spendOf = async (scope: string, position: string): Promise<unknown> => {
    const { body } = await acme.get(`scopes/${scope}/usage/summary?minPosition=${position}`, WAIT);
    return [body.spend, body.events];
  };

  describe('a void', () => {
    test('takes back balance, alert, rollup and history of the usage, and of budgets made later', async () => {
      const period = { period: { kind: 'annual' } };
      const thresholds = [{ percent: 80, severity: 'warning', actions: ['notify'] }];
      const budget = await makeBudget(acme, { ...period, limit: { amount: '100', currency: 'USD' }, thresholds });
      await record(usageOf('30', { dimensions: { model: 'm' } }));
      const wrong = await record(usageOf('60', { dimensions: { model: 'm' } }));
      expect((await statusOf(budget.id, wrong.position)).activeAlerts).toHaveLength(1);

      const voided = await acme.post(`usage/${wrong.eventId}/void`, { reason: 'sent twice' });
      expect([voided.status, voided.body]).toMatchObject([202, { eventId: wrong.eventId, status: 'accepted' }]);
      const { position } = voided.body;
      expect(voided.headers.get('bursar-position')).toBe(position);
      expect(await statusOf(budget.id, position)).toMatchObject({ currentSpend: '30', activeAlerts: [] });
      expect(await spendOf('org/x', position)).toEqual([[{ amount: '30', currency: 'USD' }], 1]);

      const { data } = (await acme.get(`budgets/${budget.id}/usage?minPosition=${position}`, WAIT)).body;
      expect(data).toMatchObject([
        { kind: 'void', usageEventId: wrong.eventId, reason: 'sent twice', amount: '-60', cost: null, voided: true, position },
        { kind: 'usage', eventId: wrong.eventId, amount: '60', currentAmount: '0', voided: true },
        { kind: 'usage', amount: '30', voided: false, rerated: false },
      ]);
      const later = await makeBudget(acme, { ...period, name: 'Later', scope: 'org:x' });
      let counted = await statusOf(later.id, later.status.position);
      for (let tries = 0; counted.status === 'counting' && tries < 200; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        counted = await statusOf(later.id, later.status.position);
      }
      expect(counted).toMatchObject({ currentSpend: '30' });
    });

    test('is done once, and only for usage of the tenant', async () => {
      const { eventId } = await record(usageOf('1'));
      const [first, second] = [
        await acme.post(`usage/${eventId}/void`, { reason: 'a' }),
        await acme.post(`usage/${eventId}/void`, { reason: 'b' }),
      ];
      expect([first.body.status, second.body.status, second.body.position]).toEqual(['accepted', 'duplicate', first.body.position]);
      expectProblem(await api().as(freshTenant()).post(`usage/${eventId}/void`, { reason: 'a' }), 404, 'not_found');
      expectProblem(await acme.post(`usage/${eventId}/void`, {}), 400, 'required', '/reason');
    });
  });

  describe('an adjustment', () => {
    test('moves balance, alert, rollup and every grouping by the difference; history keeps both, and as-of knows what was before', async () => {
      const tenant = api().as(freshTenant());
      const thresholds = [{ percent: 80, severity: 'warning', actions: ['notify'] }];
      const definition = { period: { kind: 'annual' }, limit: { amount: '100', currency: 'USD' }, thresholds };
      const { id } = await makeBudget(tenant, definition);
      const get = async (path: string, position: string) =>
        (await tenant.get(`${path}${path.includes('?') ? '&' : '?'}minPosition=${position}`, WAIT)).body;
      const usage = usageOf('90', { dimensions: { model: 'm', room: 'r' } });
      const { eventId, position: before } = (await tenant.post('usage', usage)).body.results[0];
      expect((await get(`budgets/${id}/status`, before)).activeAlerts).toHaveLength(1);

      const adjusted = await tenant.post(`usage/${eventId}/adjust`, { cost: { amount: '12.5' }, reason: 'a credit note' });
      expect([adjusted.status, adjusted.body]).toMatchObject([
        202,
        { eventId, status: 'accepted', cost: { amount: '12.5', currency: 'USD' } },
      ]);
      const { position } = adjusted.body;
      const status = await get(`budgets/${id}/status`, position);
      expect(status).toMatchObject({ currentSpend: '12.5', activeAlerts: [] });
      expect((await get(`budgets/${id}/usage`, position)).data).toMatchObject([
        {
          kind: 'rerate',
          usageEventId: eventId,
          cause: 'adjustment',
          amount: '-77.5',
          previousCost: { amount: '90' },
          cost: { amount: '12.5' },
        },
        { kind: 'usage', eventId, amount: '90', cost: { amount: '90' }, currentAmount: '12.5', rerated: true, voided: false },
      ]);
      const spend = [{ amount: '12.5', currency: 'USD' }];
      for (const by of ['model', 'room', 'team']) {
        expect([by, (await get(`budgets/${id}/usage/breakdown?by=${by}`, position)).data]).toMatchObject([by, [{ spend, events: 1 }]]);
      }
      expect(await get('scopes/org/x/usage/summary', position)).toMatchObject({ spend: [] });
      expect(await get('scopes/team/ml/usage/summary', position)).toMatchObject({ spend, events: 1 });

      const asOf = async (at: string) => (await tenant.get(`budgets/${id}/status?asOf=${at}`)).body;
      expect(await asOf(before)).toMatchObject({ currentSpend: '90', activeAlerts: [{ percent: 80 }] });
      expect(await asOf(position)).toMatchObject({ currentSpend: '12.5', activeAlerts: [], lastUpdated: status.lastUpdated });
      const tree = (await tenant.get(`budgets/hierarchy/team/ml?asOf=${position}`)).body;
      expect(tree).toMatchObject({ spend, budgets: [{ currentSpend: '12.5' }] });

      const voided = (await tenant.post(`usage/${eventId}/void`, { reason: 'twice' })).body.position;
      expect(await get(`budgets/${id}/status`, voided)).toMatchObject({ currentSpend: '0' });
      expect(await asOf(voided)).toMatchObject({ currentSpend: '0' });
      const { data } = await get(`budgets/${id}/usage`, voided);
      expect(data.map((one: { kind: string; amount: string }) => `${one.kind} ${one.amount}`)).toEqual([
        'void -12.5',
        'rerate -77.5',
        'usage 90',
      ]);
      expectProblem(await tenant.post(`usage/${eventId}/adjust`, { cost: { amount: '1' }, reason: 'r' }), 409, 'usage_voided');
    });
  });

  test('an allocated cost is split over its scopes, and whole above them', async () => {
    const tenant = api().as(freshTenant());
    for (const id of ['a', 'b', 'c']) await tenant.post('scopes', { type: 'team', id, parents: ['org:x'] });
    const ids: string[] = [];
    for (const scope of ['team:a', 'team:b', 'team:c', 'org:x', 'user:u']) ids.push((await makeBudget(tenant, { name: scope, scope })).id);
    const allocation = [
      { scope: 'team:a', percent: '33.33' },
      { scope: 'team:b', percent: '33.33' },
      { scope: 'team:c', percent: '33.34' },
    ];
    const position = await tenant.record(usageOf('0.00000001', { scopes: ['user:u'], allocation }));
    const spends: string[] = [];
    for (const id of ids) spends.push((await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body.currentSpend);
    expect(spends).toEqual(['0.000000003333', '0.000000003333', '0.000000003334', '0.00000001', '0.00000001']);
    const { body } = await tenant.get(`scopes/team/c/usage/summary?minPosition=${position}`, WAIT);
    expect(body).toMatchObject({ spend: [{ amount: '0.000000003334', currency: 'USD' }], events: 1 });
    const amounts = (await tenant.get(`budgets/${ids[2]}/usage?minPosition=${position}`, WAIT)).body.data;
    expect(amounts).toMatchObject([{ amount: '0.000000003334', cost: { amount: '0.00000001', currency: 'USD' } }]);
  });
};
