import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, type Reply } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const USD = (amount: string) => ({ amount, currency: 'USD' });
type Row = Readonly<{ type: string; position: string }> & Record<string, unknown>;

/** GET /budgets/:id/history: who did what to a budget, and what came of it. */
export const budgetHistory = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const until = async (id: string, isSo: (rows: readonly Row[]) => boolean): Promise<readonly Row[]> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const { body } = await acme.get(`budgets/${id}/history?limit=200`);
      if (isSo(body.data)) return body.data;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came');
  };

  describe("a budget's history", () => {
    test('tells every event of it and of its balance, newest first, by pages, and stays when it is deleted', async () => {
      const { id } = await makeBudget(acme, { limit: USD('10'), enforcement: { autoPause: true } });
      await acme.patch(`budgets/${id}`, { limit: USD('12') });
      await acme.post(`budgets/${id}/pause`, { reason: 'audit' });
      await acme.post(`budgets/${id}/resume`);
      const { overrideId } = (await acme.post(`budgets/${id}/overrides`, { amount: '5', duration: 'PT1H', reason: 'launch' })).body;
      await acme.delete(`budgets/${id}/overrides/${overrideId}`);
      await acme.record(usageOf('12'));
      const says = (type: string) => (rows: readonly Row[]) => rows.some((row) => row.type === type && 'automatic' in (row.data as object));
      await until(id, says('BudgetPaused'));
      await acme.post(`budgets/${id}/reset`, { reason: 'agreed' });
      expect((await acme.delete(`budgets/${id}`)).status).toBe(204);

      const rows = await until(id, (all) => all.some(({ type }) => type === 'BudgetDeleted'));
      const places = rows.map(({ position }) => Number(position.split(':')[1]));
      expect(places).toEqual(places.toSorted((a, b) => b - a));
      const of = (type: string) => rows.filter((row) => row.type === type);
      expect(rows.at(-1)).toMatchObject({ type: 'BudgetCreated', by: 'key:admin', before: null, after: { limit: USD('10') } });
      expect(of('BudgetChanged')).toMatchObject([{ by: 'key:admin', before: { limit: USD('10') }, after: { limit: USD('12') } }]);
      expect(of('BudgetDeleted')).toMatchObject([{ before: { limit: USD('12') }, after: null }]);
      expect(of('BudgetPaused')).toMatchObject([
        { by: 'budget-projector', data: { automatic: { spend: '12' } } },
        { by: 'key:admin', reason: 'audit', at: expect.stringMatching(/Z$/) },
      ]);
      expect(of('BudgetResumed')).toHaveLength(1);
      expect(of('OverrideGranted')).toMatchObject([{ reason: 'launch', data: { overrideId, amount: USD('5') } }]);
      expect(of('OverrideRevoked')).toMatchObject([{ data: { overrideId } }]);
      expect(of('BudgetReset')).toMatchObject([{ by: 'key:admin', reason: 'agreed', data: { previousSpend: '12' } }]);
      expect(of('ThresholdCrossed').map((row) => (row.data as Row).threshold)).toEqual(expect.arrayContaining(['80%', '95%']));

      const paged: Row[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const reply: Reply = await acme.get(`budgets/${id}/history?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
        paged.push(...reply.body.data);
        cursor = reply.body.nextCursor;
      }
      // What the projector says meanwhile is newer.
      expect(paged.slice(-rows.length)).toEqual(rows);
      expectProblem(await acme.get(`budgets/${id}/status`), 404, 'not_found');
    });

    test('is 404 where there never was one and for other tenants, and 400 for what is no page', async () => {
      const { id } = await makeBudget(acme, { scope: 'team:mine' });
      const { data } = (await acme.get(`budgets/${id}/history`)).body;
      expect(data.at(-1)).toMatchObject({ type: 'BudgetCreated' });
      expectProblem(await acme.get('budgets/none/history'), 404, 'not_found');
      expectProblem(await acme.as(freshTenant()).get(`budgets/${id}/history`), 404, 'not_found');
      expectProblem(await acme.get(`budgets/${id}/history?cursor=abc`), 400, 'cursor', '/cursor');
      expectProblem(await acme.get(`budgets/${id}/history?limit=0`), 400);
    });
  });
};
