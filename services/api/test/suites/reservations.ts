import { describe, expect, test } from '@jest/globals';
import { type Client, type Reply, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const ATTEMPTS = 600;

const eventually = async (ask: () => Promise<Reply>, holds: (reply: Reply) => boolean): Promise<Reply> => {
  for (let attempt = 0; ; attempt += 1) {
    const reply = await ask();
    if (holds(reply) || attempt === ATTEMPTS) return reply;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

export const reservations = (api: () => Client): void => {
  const reserve = (tenant: Client, body: object): Promise<Reply> =>
    eventually(
      () => tenant.post('reservations', body),
      ({ body: { code } }) => code !== 'counting',
    );

  describe('reservations, passed on to the owner', () => {
    test('IN-G9 a budget is not deleted right after something was held on it', async () => {
      const tenant = api().as(freshTenant());
      for (let n = 0; n < 5; n += 1) {
        const { id } = await makeBudget(tenant, { scope: `team:g9-${n}` });
        const held = await reserve(tenant, { scopes: [`team:g9-${n}`], amount: '5' });
        expectProblem(await tenant.delete(`budgets/${id}`), 409, 'in_use');
        expect((await tenant.get(`reservations/${held.body.reservationId}`)).body).toMatchObject({ status: 'held' });
      }
    });

    test('a budget takes no other currency while something is held in it, and another limit at any time', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant);
      const { body } = await reserve(tenant, { scopes: ['team:ml'], amount: '90' });
      const euros = { limit: { amount: '50', currency: 'EUR' } };
      expectProblem(await tenant.patch(`budgets/${id}`, euros), 409, 'in_use');
      expect((await tenant.patch(`budgets/${id}`, { limit: { amount: '100' } })).body).toMatchObject({
        limit: { amount: '100', currency: 'USD' },
      });
      await tenant.delete(`reservations/${body.reservationId}`);
      expect((await tenant.patch(`budgets/${id}`, euros)).body).toMatchObject({ limit: { amount: '50', currency: 'EUR' } });
    });

    test('has no version that If-Match could name: refused, and still held', async () => {
      const tenant = api().as(freshTenant());
      await makeBudget(tenant);
      const { body } = await reserve(tenant, { scopes: ['team:ml'], amount: '5' });
      const path = `reservations/${body.reservationId}`;
      expectProblem(await tenant.delete(path, { headers: { 'if-match': '"1"' } }), 412, 'precondition_failed');
      expect((await tenant.get(path)).body).toMatchObject({ status: 'held' });
      expect((await tenant.delete(path, { headers: { 'if-match': '*' } })).status).toBe(204);
    });

    test('what is held is not carried into the next period, until it is released', async () => {
      const tenant = api().as(freshTenant());
      // Its second period begins in a few seconds, and lasts longer than the test.
      const anchor = new Date(Date.now() - 285_000).toISOString();
      const period = { kind: 'rolling', length: '300s', anchor };
      const { id } = await makeBudget(tenant, { period, thresholds: [], rollover: { mode: 'unused' } });
      await reserve(tenant, { id: 'kept', scopes: ['team:ml'], amount: '400' });
      const status = () => tenant.get(`budgets/${id}/status`);
      const { body: then } = await eventually(status, ({ body }) => body.rolledOver !== '0');
      expect(then).toMatchObject({ rolledOver: '600', effectiveLimit: '1600', reserved: '0', remaining: '1600' });
      const { body: past } = await tenant.get(`budgets/${id}/status?asOf=${then.periodStart}`);
      expect(past).toMatchObject({ periodStart: then.periodStart, rolledOver: '600', remaining: '1600' });
      expect((await reserve(tenant, { scopes: ['team:ml'], amount: '1600.01' })).status).toBe(402);
      await tenant.delete('reservations/kept');
      const { body: released } = await eventually(status, ({ body }) => body.rolledOver !== '600');
      expect(released).toMatchObject({ rolledOver: '1000', effectiveLimit: '2000' });
    });

    test('IN-G9 a hold is in status and list, keeps its budget from being deleted, and is gone once released', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '20', currency: 'USD' } });
      const held = await reserve(tenant, { id: 'r/1 ä', scopes: ['team:ml'], amount: '5' });
      expect([held.status, held.body.remaining]).toEqual([201, '15']);
      const status = await eventually(
        () => tenant.get(`budgets/${id}/status`),
        ({ body }) => body.reserved === '5',
      );
      expect(status.body).toMatchObject({ currentSpend: '0', reserved: '5', remaining: '15' });
      const { body: list } = await tenant.get(`budgets/${id}/reservations`);
      const { body: one } = await tenant.get(`reservations/${encodeURIComponent('r/1 ä')}`);
      expect(list).toMatchObject({ data: [one], nextCursor: null });
      expectProblem(await tenant.delete(`budgets/${id}`), 409, 'in_use');
      expect(
        (
          await api()
            .as(freshTenant())
            .get(`reservations/${encodeURIComponent('r/1 ä')}`)
        ).status,
      ).toBe(404);
      // As many clients send it: a type, and nothing of it.
      const typed = { headers: { 'content-type': 'application/json' } };
      expect((await tenant.send('DELETE', `reservations/${encodeURIComponent('r/1 ä')}`, undefined, typed)).status).toBe(204);
      expect(
        (
          await eventually(
            () => tenant.delete(`budgets/${id}`),
            ({ status: code }) => code !== 409,
          )
        ).status,
      ).toBe(204);
    });

    test('F30: usage settles on the path of its hold, also where history and the past are asked for', async () => {
      const tenant = api().as(freshTenant());
      await tenant.post('scopes', { type: 'team', id: 'old' });
      await tenant.post('scopes', { type: 'team', id: 'new' });
      await tenant.post('scopes', { type: 'user', id: 'u', parents: ['team:old'] });
      const { id } = await makeBudget(tenant, { scope: 'team:old', limit: { amount: '20', currency: 'USD' } });
      await reserve(tenant, { id: 'moved', scopes: ['user:u'], amount: '5' });
      await tenant.patch('scopes/user/u', { parents: ['team:new'] });
      const position = await tenant.record({ ...usageOf('6'), scopes: ['user:u'], reservationId: 'moved' });
      const status = await tenant.get(`budgets/${id}/status?minPosition=${position}`, { headers: { prefer: 'wait=5' } });
      expect(status.body).toMatchObject({ currentSpend: '6', reserved: '0' });
      const { body: history } = await tenant.get(`budgets/${id}/usage`);
      expect(history.data).toMatchObject([{ amount: '6', reservationId: 'moved', flags: ['SettledOverReservation'] }]);
      expect((await tenant.get(`budgets/${id}/status?asOf=${position}`)).body).toMatchObject({ currentSpend: '6' });
      const { id: later } = await makeBudget(tenant, { scope: 'team:old', limit: { amount: '20', currency: 'USD' } });
      const counted = await eventually(
        () => tenant.get(`budgets/${later}/status`),
        ({ body }) => body.status !== 'counting',
      );
      expect(counted.body).toMatchObject({ currentSpend: '6' });
    });

    test('IN-G15 settled twice by the same usage: the second is a duplicate, which neither counts nor is flagged', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '20', currency: 'USD' } });
      await reserve(tenant, { id: 'once', scopes: ['team:ml'], amount: '10' });
      const settlement = usageOf('4', { reservationId: 'once' });
      const settle = async (): Promise<Reply['body']> => (await tenant.post('usage', { events: [settlement] })).body.results[0];
      const first = await settle();
      expect(first.status).toBe('accepted');
      expect(await settle()).toEqual({ ...first, status: 'duplicate' });
      // What comes after both tells that neither is still on its way.
      const position = await tenant.record(usageOf('1'));
      const { body: status } = await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT);
      expect(status).toMatchObject({ currentSpend: '5', reserved: '0' });
      const { body: hold } = await tenant.get('reservations/once');
      expect(hold).toMatchObject({ status: 'settled', settledBy: first.eventId, actual: '4', flags: [] });
      const { data } = (await tenant.get(`budgets/${id}/usage`)).body;
      expect(data.filter(({ reservationId }: Reply['body']) => reservationId === 'once')).toHaveLength(1);
    });

    test('B10 a hold that only an override let through names it, and so does the line of its settlement', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '10', currency: 'USD' } });
      const grant = async (body: object): Promise<string> =>
        (await tenant.post(`budgets/${id}/overrides`, { ...body, duration: 'PT1H', reason: 'launch' })).body.overrideId;
      const more = await grant({ amount: '5' });
      const within = await reserve(tenant, { id: 'within', scopes: ['team:ml'], amount: '10' });
      expect(within.status).toBe(201);
      expect(within.body.overrideIds).toBeUndefined();
      const beyond = await reserve(tenant, { id: 'beyond', scopes: ['team:ml'], amount: '4' });
      expect(beyond).toMatchObject({ status: 201, body: { overrideIds: [more] } });
      expectProblem(await reserve(tenant, { id: 'refused', scopes: ['team:ml'], amount: '2' }), 402, 'budget_exceeded');
      const off = await grant({ enforcement: 'off' });
      const free = await reserve(tenant, { id: 'free', scopes: ['team:ml'], amount: '100' });
      expect(free.body.overrideIds).toEqual([more, off]);
      expect((await reserve(tenant, { id: 'beyond', scopes: ['team:ml'], amount: '4' })).body).toEqual(beyond.body);

      expect((await tenant.get('reservations/beyond')).body.overrideIds).toEqual([more]);
      await tenant.record({ ...usageOf('4'), reservationId: 'beyond' });
      const position = await tenant.record({ ...usageOf('1'), reservationId: 'within' });
      await tenant.get(`budgets/${id}/status?minPosition=${position}`, { headers: { prefer: 'wait=5' } });
      const { data } = (await tenant.get(`budgets/${id}/usage`)).body;
      const line = (named: string) => data.find(({ reservationId }: Reply['body']) => reservationId === named);
      expect(line('beyond').overrideIds).toEqual([more]);
      expect(line('within').overrideIds).toBeUndefined();
      const open = (await tenant.get(`budgets/${id}/reservations`)).body.data;
      expect(open).toMatchObject([{ reservationId: 'free', overrideIds: [more, off] }]);
    });

    test('what has no price is held at 0 where no budget blocks at a limit, and refused where one does or the tenant denies it', async () => {
      const tenant = api().as(freshTenant());
      await makeBudget(tenant, { scope: 'team:told', enforcement: { mode: 'notify' } });
      await makeBudget(tenant, { scope: 'team:endless', limit: null });
      await makeBudget(tenant, { scope: 'team:blocked' });
      const estimate = { meter: 'nobody', quantities: { things: '3' } };
      for (const scope of ['team:none', 'team:told', 'team:endless']) {
        const held = await reserve(tenant, { id: scope, scopes: [scope], ...estimate });
        expect(held).toMatchObject({ status: 201, body: { amount: '0', unpriced: ['things'] } });
        expect((await tenant.get(`reservations/${encodeURIComponent(scope)}`)).body).toMatchObject({ amount: '0', unpriced: ['things'] });
      }
      const refused = await reserve(tenant, { scopes: ['team:blocked'], ...estimate });
      expectProblem(refused, 402, 'price_missing');
      expect(refused.body.unpriced).toEqual(['things']);
      const settings = await tenant.put(`tenants/${tenant.tenant}/settings`, { unpricedPolicy: 'deny' });
      expect(settings.status).toBe(200);
      const denied = await eventually(
        () => tenant.post('reservations', { scopes: ['team:none'], ...estimate }),
        ({ status }) => status === 402,
      );
      expectProblem(denied, 402, 'price_missing');
    });
  });
};
