import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Alert records (PRODUCT D1, D2, D7): what was raised, in lists, and who has seen it. */
export const alerts = (api: () => Client): void => {
  let acme: Client;
  let id: string;
  beforeAll(async () => {
    acme = api().as(freshTenant());
    ({ id } = await makeBudget(acme, { limit: { amount: '100', currency: 'USD' } }));
    const position = await acme.record(usageOf('96'));
    await acme.get(`budgets/${id}/status?minPosition=${position}`, WAIT);
  });

  const recorded = async (client: Client, count: number, query = '') => {
    for (;;) {
      const { body } = await client.get(`alerts?limit=200${query}`);
      if (body.data.length >= count) return body.data;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  describe('alerts', () => {
    test('of a tenant, newest first, each with its gap-free number', async () => {
      const [second, first] = await recorded(acme, 2);
      expect(first).toMatchObject({
        budgetId: id,
        event: 'threshold.crossed',
        type: 'WARNING',
        severity: 'warning',
        percent: 80,
        percentUsed: '96.00',
        currentSpend: '96',
        limit: '100',
        message: 'Warning: Budget at 96.0% (96.0/100.0 USD)',
        acknowledged: false,
        acknowledgedBy: null,
        acknowledgedAt: null,
        suppressed: false,
        revision: 0,
        position: expect.stringMatching(/^\d+:\d+$/),
      });
      expect(second).toMatchObject({ type: 'CRITICAL', percent: 95, revision: 1 });
    });

    test('one, as the list and the budget’s list show it', async () => {
      const [alert] = await recorded(acme, 2);
      expect((await acme.get(`alerts/${alert.id}`)).body).toEqual(alert);
      expect((await acme.get(`budgets/${id}/alerts?limit=1`)).body.data).toEqual([alert]);
      expectProblem(await acme.as(freshTenant()).get(`alerts/${alert.id}`), 404, 'not_found');
      for (const none of ['none', randomUUID()]) expectProblem(await acme.get(`alerts/${none}`), 404, 'not_found');
    });

    test('by severity, type, budget, and after a position', async () => {
      const [second, first] = await recorded(acme, 2);
      const ids = async (query: string) => (await acme.get(`alerts?${query}`)).body.data.map((alert: { id: string }) => alert.id);
      expect(await ids('severity=critical')).toEqual([second.id]);
      expect(await ids('type=WARNING')).toEqual([first.id]);
      expect(await ids('budgetId=other')).toEqual([]);
      expect(await ids(`after=${first.position}`)).toEqual([second.id]);
      expect(await ids(`after=${second.position}`)).toEqual([]);
      const partition = Number(first.position.split(':')[0]);
      expectProblem(await acme.get(`alerts?after=${partition + 1}:1`), 400, 'position_format', '/after');
    });

    test('page by page', async () => {
      const all = await recorded(acme, 2);
      const { body } = await acme.get('alerts?limit=1');
      const next = await acme.get(`alerts?limit=1&cursor=${body.nextCursor}`);
      expect([...body.data, ...next.body.data]).toEqual(all);
      expectProblem(await acme.get(`alerts?limit=1&severity=info&cursor=${body.nextCursor}`), 400);
    });

    test('a crossing that is over says since when, and its clearing is an alert of its own', async () => {
      const tenant = acme.as(freshTenant());
      const budget = await makeBudget(tenant, {
        limit: { amount: '100', currency: 'USD' },
        thresholds: [{ percent: 80, severity: 'warning' }],
      });
      const { body } = await tenant.post('usage', usageOf('85'));
      await recorded(tenant, 1);
      await tenant.post(`usage/${body.results[0].eventId}/void`, { reason: 'a mistake' });
      const [cleared, crossed] = await recorded(tenant, 2);
      expect(cleared).toMatchObject({
        event: 'threshold.cleared',
        type: 'CLEARED',
        severity: 'info',
        message: 'Cleared: back under 80%. Budget at 0.0% (0.0/100.0 USD)',
      });
      expect(crossed).toMatchObject({ event: 'threshold.crossed', clearedAt: expect.any(String) });
      expect((await tenant.get(`budgets/${budget.id}/alerts`)).body.data).toEqual([cleared, crossed]);
    });

    test('what is done to a budget raises its notice: pause, resume, override', async () => {
      const tenant = acme.as(freshTenant());
      const budget = await makeBudget(tenant);
      await tenant.post(`budgets/${budget.id}/pause`, { reason: 'audit' });
      await tenant.post(`budgets/${budget.id}/resume`);
      const { body } = await tenant.post(`budgets/${budget.id}/overrides`, { amount: '50', duration: '1d', reason: 'launch' });
      await tenant.delete(`budgets/${budget.id}/overrides/${body.overrideId}`);
      const raised = await recorded(tenant, 4);
      expect(raised.map(({ type }: { type: string }) => type)).toEqual(['OVERRIDE_REVOKED', 'OVERRIDE_GRANTED', 'RESUMED', 'PAUSED']);
      expect(raised[3]).toMatchObject({
        event: 'budget.paused',
        severity: 'warning',
        limit: '1000',
        currentSpend: '0',
        budgetName: 'Monthly',
      });
      expect(raised[3].message).toContain('audit');
      expect(raised[3]).not.toHaveProperty('percent');
    });
  });

  describe('acknowledging an alert', () => {
    test('says by whom and when, once, in lists and status', async () => {
      const [alert] = await recorded(acme, 2);
      const first = await acme.post(`alerts/${alert.id}/acknowledge`, { reason: 'seen' });
      expect(first.status).toBe(200);
      expect(first.body).toMatchObject({
        id: alert.id,
        acknowledged: true,
        acknowledgedBy: expect.any(String),
        acknowledgedAt: expect.any(String),
      });
      expect(first.headers.get('bursar-position')).toMatch(/^\d+:\d+$/);
      const second = await acme.post(`budgets/${id}/alerts/${alert.id}/acknowledge`);
      expect([second.status, second.body]).toEqual([200, first.body]);
      const position = first.headers.get('bursar-position');
      expect((await acme.get(`alerts/${alert.id}?minPosition=${position}`, WAIT)).body).toEqual(first.body);
      expect((await acme.get('alerts?acknowledged=true')).body.data).toEqual([first.body]);
      expect((await acme.get(`budgets/${id}/status`)).body.activeAlerts).toMatchObject([
        { alertId: alert.id, acknowledged: true },
        { percent: 80, acknowledged: false },
      ]);
    });

    test('of another budget, of another tenant, or that never was is 404', async () => {
      const [alert] = await recorded(acme, 2);
      const { id: other } = await makeBudget(acme);
      expectProblem(await acme.post(`budgets/${other}/alerts/${alert.id}/acknowledge`), 404, 'not_found');
      expectProblem(await acme.as(freshTenant()).post(`alerts/${alert.id}/acknowledge`), 404, 'not_found');
      expectProblem(await acme.post(`alerts/${randomUUID()}/acknowledge`), 404, 'not_found');
      expectProblem(await acme.post(`alerts/${alert.id}/acknowledge`, { by: 'me' }), 400, 'unknown_field', '/by');
    });
  });
};
