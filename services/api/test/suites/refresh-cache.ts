import { createDatabase, createPool } from '@bursar/database';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** POST /budgets/:id/refresh-cache: the tables against the ledger. */
export const refreshCache = (api: () => Client, databaseUrl: () => string): void => {
  describe('the balance, read again from the ledger', () => {
    test('is as the tables have it, and says both figures where they were tampered with', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
      await tenant.post('reservations', { scopes: ['team:ml'], amount: '7' });
      const position = await tenant.record(usageOf('12.5'));
      const live = (await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body;
      const same = await tenant.post(`budgets/${id}/refresh-cache`);
      expect(same).toMatchObject({
        status: 200,
        body: { budgetId: id, differed: false, differences: [], status: { currentSpend: '12.5' } },
      });
      expect(same.body.position).toBe(same.body.status.position);
      expect(same.body.status.reserved).toBe(live.reserved);

      const db = createDatabase(createPool(databaseUrl(), { name: 'test', max: 1 }));
      const { numAffectedRows } = await sql`UPDATE projection.balance SET spend = 99 WHERE budget_id = ${id}`.execute(db);
      await db.destroy();
      expect(numAffectedRows).toBe(1n);
      const { body } = await tenant.post(`budgets/${id}/refresh-cache`);
      expect(body).toMatchObject({ differed: true, status: { currentSpend: '12.5' } });
      expect(body.differences).toEqual([{ field: 'currentSpend', cached: '99', ledger: '12.5' }]);
      // It reports, and repairs nothing.
      expect((await tenant.get(`budgets/${id}/status`)).body.currentSpend).toBe('99');
    });

    test('is 404 where there is no such budget, also of another tenant or deleted', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant);
      expectProblem(await tenant.post('budgets/none/refresh-cache'), 404, 'not_found');
      expectProblem(await api().as(freshTenant()).post(`budgets/${id}/refresh-cache`), 404, 'not_found');
      await tenant.delete(`budgets/${id}`);
      expectProblem(await tenant.post(`budgets/${id}/refresh-cache`), 404, 'not_found');
    });
  });
};
