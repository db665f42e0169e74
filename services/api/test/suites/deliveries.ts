import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Nothing goes out of this system: there is no mail server, and a test has no public receiver. */
export const deliveries = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  const delivered = async (tenant: Client, alertId: string, count: number) => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const { data } = (await tenant.get(`alerts/${alertId}/deliveries`)).body;
      if (data.length === count && data.every(({ status }: { status: string }) => status !== 'pending' && status !== 'sending'))
        return data;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('it was not delivered');
  };

  /** A tenant with two e-mail channels and an alert at 80 %. */
  const alerted = async (): Promise<Readonly<{ tenant: Client; alertId: string }>> => {
    const tenant = acme.as(freshTenant());
    for (const name of ['first', 'second']) await tenant.post('channels', { type: 'email', name, to: ['ops@example.com'] });
    await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
    await tenant.record(usageOf('85'));
    for (;;) {
      const [alert] = (await tenant.get('alerts')).body.data;
      if (alert !== undefined) return { tenant, alertId: alert.id };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const alertOf = async (tenant: Client, budgetId: string, event: string): Promise<string> => {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const { data } = (await tenant.get(`budgets/${budgetId}/alerts`)).body;
      const alert = data.find((one: { event: string }) => one.event === event);
      if (alert !== undefined) return alert.id;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`there is no ${event}`);
  };

  describe('deliveries', () => {
    test('say where an alert went, and what would have been sent where the installation cannot', async () => {
      const { tenant, alertId } = await alerted();
      const [first, second] = await delivered(tenant, alertId, 2);
      expect([first.channelName, second.channelName]).toEqual(['first', 'second']);
      expect(first).toMatchObject({
        alertId,
        channelType: 'email',
        kind: 'alert',
        status: 'not_configured',
        attempts: [],
        nextAttemptAt: null,
        preview: { subject: expect.any(String), text: expect.stringContaining('85') },
      });
      const page = (await tenant.get(`alerts/${alertId}/deliveries?limit=1`)).body;
      const next = (await tenant.get(`alerts/${alertId}/deliveries?limit=1&cursor=${page.nextCursor}`)).body;
      expect([page.data[0].id, next.data[0].id, next.nextCursor]).toEqual([first.id, second.id, null]);
      expectProblem(await acme.as(freshTenant()).get(`alerts/${alertId}/deliveries`), 404, 'not_found');
      expectProblem(await tenant.get(`alerts/${randomUUID()}/deliveries`), 404, 'not_found');
    });

    test('are sent again on demand, and channels are tested, by way of alerting', async () => {
      const { tenant, alertId } = await alerted();
      const [first] = await delivered(tenant, alertId, 2);
      const replayed = await tenant.post(`alerts/${alertId}/deliveries/${first.id}/replay`);
      expect([replayed.status, replayed.body.id, replayed.body.status]).toEqual([202, first.id, 'pending']);
      expect((await delivered(tenant, alertId, 2))[0].status).toBe('not_configured');
      expectProblem(await tenant.post(`alerts/${alertId}/deliveries/${randomUUID()}/replay`), 404, 'not_found');
      const tested = await tenant.post(`channels/${first.channelId}/test`);
      expect([tested.status, tested.body]).toMatchObject([200, { outcome: 'not_configured', status: null }]);
      expectProblem(await tenant.post(`channels/${randomUUID()}/test`), 404, 'not_found');
    });
    test('D4: a channel that a threshold names and nobody set up is not forgotten silently', async () => {
      const tenant = acme.as(freshTenant());
      const thresholds = [{ percent: 80, severity: 'warning', channels: ['pager'] }];
      const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' }, thresholds });
      await tenant.record(usageOf('85'));
      const [only] = await delivered(tenant, await alertOf(tenant, id, 'threshold.crossed'), 1);
      expect(only).toMatchObject({ channelName: 'pager', status: 'not_configured', preview: { text: expect.stringContaining('85') } });
    });

    test('the notice of a reset says amounts as everything else does', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant);
      await tenant.record(usageOf('100'));
      expect((await tenant.post(`budgets/${id}/reset`, { newLimit: '200' })).status).toBe(200);
      const { message } = (await tenant.get(`alerts/${await alertOf(tenant, id, 'budget.reset')}`)).body;
      expect(message).toBe('Reset: 100 USD had been spent, new limit 200 USD.');
    });
  });
};
