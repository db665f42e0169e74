import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
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
