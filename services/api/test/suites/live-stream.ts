import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { TestEventSource } from '../support/event-source.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** `GET /stream` (PRODUCT G6, D4): what changes, as it changes, and nothing lost when a client was away. */
export const liveStream = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const listen = (tenant: Client, query = '', lastEventId?: string) => TestEventSource.open(tenant.url, tenant.tenant, query, lastEventId);

  describe('the live stream', () => {
    test('tells balances as statuses and alerts as lists show them', async () => {
      const { id } = await makeBudget(acme, { limit: { amount: '100', currency: 'USD' } });
      const stream = await listen(acme);
      expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      await stream.until('ready');
      await acme.record(usageOf('85'));
      const [alert] = await stream.until('alert');
      expect(alert).toEqual((await acme.get(`alerts/${alert?.id}`)).body);
      const [balance] = await stream.until('balance', 1, ({ currentSpend }) => currentSpend === '85');
      expect(balance).toMatchObject({ budgetId: id, remaining: '15', status: 'warning', activeAlerts: [{ alertId: alert?.id }] });
      await acme.post(`budgets/${id}/pause`);
      await stream.until('balance', 1, ({ status }) => status === 'paused');
      await acme.post(`alerts/${alert?.id}/acknowledge`);
      await stream.until('alert', 1, ({ acknowledged }) => acknowledged === true);
      await acme.delete(`budgets/${id}`);
      expect(await stream.until('balance', 1, ({ deleted }) => deleted === true)).toEqual([{ budgetId: id, deleted: true }]);
      await stream.close();
    });

    test('a client that was away gets every alert, and every balance as it is, from where it was', async () => {
      const tenant = acme.as(freshTenant());
      const thresholds = [10, 20, 30].map((percent) => ({ percent, severity: 'info' }));
      const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' }, thresholds });
      const first = await listen(tenant);
      await first.until('ready');
      await tenant.record(usageOf('12'));
      await first.until('alert');
      await first.close();
      const place = first.lastEventId ?? '';
      await tenant.record(usageOf('10'));
      await tenant.get(`budgets/${id}/status?minPosition=${await tenant.record(usageOf('10'))}`, WAIT);
      const second = await listen(tenant, '', place);
      const alerts = await second.until('alert', 2);
      expect(alerts.map(({ percent }) => percent)).toEqual([20, 30]);
      await second.until('balance', 1, ({ currentSpend }) => currentSpend === '32');
      await second.close();
      expect(second.lastEventId).not.toBe(place);
    });

    test('what is held and released shows, though nothing was spent', async () => {
      const tenant = acme.as(freshTenant());
      await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
      const stream = await listen(tenant);
      await stream.until('ready');
      const held = await tenant.post('reservations', { scopes: ['team:ml'], amount: '7', currency: 'USD' });
      expect(held.status).toBe(201);
      await stream.until('balance', 1, ({ reserved }) => reserved === '7');
      const place = stream.lastEventId ?? '';
      await stream.close();
      await tenant.delete(`reservations/${held.body.reservationId}`);
      const later = await listen(tenant, '', place);
      await later.until('balance', 1, ({ reserved }) => reserved === '0');
      await later.close();
    });

    test('topics and scope choose', async () => {
      const tenant = acme.as(freshTenant());
      const thresholds = [{ percent: 10, severity: 'info' }];
      const limit = { amount: '100', currency: 'USD' };
      await makeBudget(tenant, { scope: 'team:ml', limit, thresholds });
      const { id } = await makeBudget(tenant, { scope: 'team:ops', limit, thresholds });
      const ops = await listen(tenant, '?topics=alerts&scope=team:ops');
      await ops.until('ready');
      await tenant.record(usageOf('50', { scopes: ['team:ml'] }), usageOf('50', { scopes: ['team:ops'] }));
      await ops.until('alert');
      expect(ops.heard.filter(({ event }) => event !== 'ready').map(({ event, data }) => [event, data.budgetId])).toEqual([['alert', id]]);
      await ops.close();
      expectProblem(await tenant.get('stream?topics=everything'), 400, 'not_allowed', '/topics');
    });

    test('tells nothing of another tenant', async () => {
      const [mine, theirs] = [acme.as(freshTenant()), acme.as(freshTenant())];
      const stream = await listen(mine);
      await stream.until('ready');
      await makeBudget(theirs, { limit: { amount: '10', currency: 'USD' } });
      await theirs.record(usageOf('9'));
      const { id } = await makeBudget(mine);
      await stream.until('balance', 1, ({ budgetId }) => budgetId === id);
      expect(stream.heard.filter(({ event, data }) => event !== 'ready' && data.budgetId !== id)).toEqual([]);
      await stream.close();
    });

    test('a place that no stream of the tenant gave out is refused', async () => {
      for (const place of ['x', '1:2', '-1:0:0', '99:0:0']) {
        const { response } = await listen(acme, '', place);
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ code: 'position_format' });
      }
    });

    test('a silent stream beats, so that nothing on the way closes it, and stays open', async () => {
      const tenant = acme.as(freshTenant());
      await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
      const stream = await listen(tenant);
      await stream.until('ready');
      while (stream.comments === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await tenant.record(usageOf('5'));
      await stream.until('balance', 1, ({ currentSpend }) => currentSpend === '5');
      await stream.close();
    });

    test('a HEAD ends', async () => {
      const { status } = await acme.send('HEAD', 'stream');
      expect(status).toBe(200);
    });
  });
};
