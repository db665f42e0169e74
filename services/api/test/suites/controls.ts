import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget } from '../support/make.js';

/** Pause (B9) and overrides (B10). */
export const controls = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('pausing a budget', () => {
    test('is answered with the paused budget, and reads see it at once', async () => {
      const { id } = await makeBudget(acme);
      const paused = await acme.post(`budgets/${id}/pause`, { reason: 'audit' });
      expect(paused.status).toBe(200);
      expect(paused.headers.get('etag')).toBe('"1"');
      expect(paused.headers.get('bursar-position')).toMatch(/^\d+:\d+$/);
      expect(paused.body).toMatchObject({ id, revision: 1, status: { status: 'paused', paused: true } });
      expect((await acme.get(`budgets/${id}/status`)).body).toMatchObject({ status: 'paused', paused: true });
      expect((await acme.get('budgets?status=paused')).body.data.map((budget: { id: string }) => budget.id)).toEqual([id]);

      const resumed = await acme.post(`budgets/${id}/resume`);
      expect(resumed.body).toMatchObject({ revision: 2, status: { status: 'ok', paused: false } });
      expect((await acme.get(`budgets/${id}/status`)).body).toMatchObject({ status: 'ok', paused: false });
    });
    test('twice records it once', async () => {
      const { id } = await makeBudget(acme);
      const [first, second] = [await acme.post(`budgets/${id}/pause`), await acme.post(`budgets/${id}/pause`)];
      expect(second.status).toBe(200);
      expect(second.body.revision).toBe(1);
      expect(second.headers.get('bursar-position')).toBe(first.headers.get('bursar-position'));
    });
    test('one that is gone, never was or is somebody else’s is 404', async () => {
      const { id } = await makeBudget(acme);
      expectProblem(await acme.as(freshTenant()).post(`budgets/${id}/pause`), 404, 'not_found');
      await acme.delete(`budgets/${id}`);
      expectProblem(await acme.post(`budgets/${id}/pause`), 404, 'not_found');
      expectProblem(await acme.post(`budgets/${id}/resume`), 404, 'not_found');
      expectProblem(await acme.post('budgets/none/pause'), 404, 'not_found');
    });
    test('takes a reason and nothing else', async () => {
      const { id } = await makeBudget(acme);
      expectProblem(await acme.post(`budgets/${id}/pause`, { until: 'tomorrow' }), 400, 'unknown_field', '/until');
      expectProblem(await acme.post(`budgets/${id}/pause`, { reason: 5 }), 400);
    });
  });
};
