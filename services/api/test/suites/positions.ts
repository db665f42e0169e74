import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

export const positions = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('minPosition', () => {
    test('a read waits for what was written', async () => {
      const { id } = await makeBudget(acme);
      for (let round = 1; round <= 5; round += 1) {
        const position = await acme.record(usageOf('1'));
        const reply = await acme.get(`budgets/${id}/status?minPosition=${position}`, { headers: { prefer: 'respond-async, wait=5' } });
        expect([reply.status, reply.body.currentSpend]).toEqual([200, String(round)]);
      }
    });

    test('a position not there yet is 202 with Retry-After, at once or after the wait', async () => {
      const { id } = await makeBudget(acme);
      const [partition] = (await acme.record(usageOf('1'))).split(':');
      for (const [path, headers, least] of [
        [`budgets/${id}`, {}, 0],
        [`budgets?limit=1`, { prefer: 'wait=1' }, 900],
        ['scopes/team/ml/usage/breakdown', { prefer: 'wait=0' }, 0],
      ] as const) {
        const start = performance.now();
        const reply = await acme.get(`${path}${path.includes('?') ? '&' : '?'}minPosition=${partition}:999999999`, { headers });
        expect([reply.status, reply.headers.get('retry-after')]).toEqual([202, '1']);
        expect(reply.body).toMatchObject({ minPosition: `${partition}:999999999`, position: expect.stringMatching(/^\d+:\d+$/) });
        expect(performance.now() - start).toBeGreaterThanOrEqual(least);
      }
    });

    test('a read at a position shows spend, status and alerts of that very position, twenty times of twenty', async () => {
      const thresholds = [50, 80].map((percent) => ({ percent, severity: 'warning' }));
      const percents = (alerts: readonly { percent: number }[]) => alerts.map(({ percent }) => percent);
      for (let round = 0; round < 20; round += 1) {
        const tenant = acme.as(freshTenant());
        const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' }, thresholds });
        const position = await tenant.record(usageOf('85'));
        const { body } = await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT);
        expect([body.currentSpend, body.status, percents(body.activeAlerts)]).toEqual(['85', 'warning', [80, 50]]);
        expect(percents((await tenant.get(`budgets/${id}/alerts`)).body.data)).toEqual([80, 50]);
        const { status } = (await tenant.patch(`budgets/${id}`, { limit: { amount: '125', currency: 'USD' } })).body;
        expect([status.status, percents(status.activeAlerts)]).toEqual(['warning', [50]]);
      }
    });

    test('pages of alerts follow one another, told in the ledger or not yet', async () => {
      const tenant = acme.as(freshTenant());
      const thresholds = [10, 20, 30, 40, 50].map((percent) => ({ percent, severity: 'info' }));
      const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' }, thresholds });
      await tenant.get(`budgets/${id}/status?minPosition=${await tenant.record(usageOf('25'))}`, WAIT);
      await tenant.get(`budgets/${id}/status?minPosition=${await tenant.record(usageOf('25'))}`, WAIT);
      const seen: number[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await tenant.get(`budgets/${id}/alerts?limit=2${cursor}`);
        seen.push(...body.data.map(({ percent }: { percent: number }) => percent));
        if (body.nextCursor === null) break;
        cursor = `&cursor=${body.nextCursor}`;
      }
      expect(seen).toEqual([50, 40, 30, 20, 10]);
    });

    test('what is no position of this tenant', async () => {
      const { id } = await makeBudget(acme);
      const [own] = (await acme.record(usageOf('1'))).split(':');
      const other = (Number(own) + 1) % 4;
      for (const bad of ['', 'x', '1', ':1', '1:', '-1:1', '01:1', '1:1e3', `${other}:1`, '99999:1', '1:99999999999999999999']) {
        expectProblem(await acme.get(`budgets/${id}/status?minPosition=${bad}`), 400, 'position_format', '/minPosition');
      }
    });
  });
};
