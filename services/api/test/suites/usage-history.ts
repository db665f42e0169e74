import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const picos = (amount: string): bigint => {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
};

export const usageHistory = (api: () => Client): void => {
  let acme: Client;
  let position: string;
  let all: string;
  let filtered: string;
  const COUNT = 40;
  const usage = (index: number) =>
    usageOf(`${index}.25`, {
      id: `e-${index}`,
      scopes: [index % 2 === 0 ? 'user:a' : 'user:b'],
      status: index % 10 === 9 ? 'failed' : 'succeeded',
      cost: { amount: `${index}.25`, currency: index % 4 === 3 ? 'EUR' : 'USD' },
      dimensions: { model: `m${index % 3}`, room: `r${index % 5}` },
      ...(index % 6 === 5 && {
        allocation: [
          { scope: 'user:a', percent: '33' },
          { scope: 'user:c', percent: '67' },
        ],
      }),
    });

  beforeAll(async () => {
    acme = api().as(freshTenant());
    await acme.post('scopes', { type: 'user', id: 'a', parents: ['team:ml'] });
    await acme.post('scopes', { type: 'user', id: 'b', parents: ['team:ml'] });
    await acme.post('exchange-rates', { from: 'EUR', to: 'USD', rate: '2', effectiveFrom: '2020-01-01T00:00:00Z' });
    const period = { period: { kind: 'annual' }, limit: { amount: '1000000', currency: 'USD' } };
    all = (await makeBudget(acme, { ...period, name: 'All' })).id;
    filtered = (
      await makeBudget(acme, { ...period, name: 'Some', members: ['user:a', 'user:b'], filter: { dimensions: { model: 'm1*' } } })
    ).id;
    position = await acme.record(...Array.from({ length: COUNT }, (_, index) => usage(index)));
  });
  const get = (path: string) => acme.get(`budgets/${path}${path.includes('?') ? '&' : '?'}minPosition=${position}`, WAIT);
  const spendOf = async (id: string): Promise<string> => (await get(`${id}/status`)).body.currentSpend;

  describe('usage history of a budget', () => {
    test('newest first, page by page, none lost and none twice; amounts add up to the balance', async () => {
      const seen: { id: string; amount: string }[] = [];
      for (let path = `${all}/usage?limit=7`; ; ) {
        const { body } = await get(path);
        seen.push(...body.data);
        if (body.nextCursor === null) break;
        path = `${all}/usage?limit=7&cursor=${body.nextCursor}`;
      }
      expect(seen.map(({ id }) => id)).toEqual(Array.from({ length: COUNT }, (_, index) => `e-${COUNT - 1 - index}`));
      expect(seen.reduce((sum, { amount }) => sum + picos(amount), 0n)).toBe(picos(await spendOf(all)));
    });
    test('what one is', async () => {
      const [last] = (await get(`${all}/usage?limit=1`)).body.data;
      expect(last).toMatchObject({
        id: 'e-39',
        source: 'test',
        scopes: ['user:b'],
        status: 'failed',
        cost: { amount: '39.25', currency: 'EUR' },
        amount: '78.5',
        currency: 'USD',
        voided: false,
        dimensions: { model: 'm0', room: 'r4' },
        position,
      });
    });
    test('filters', async () => {
      const ids = async (query: string) => (await get(`${all}/usage?limit=200&${query}`)).body.data.map(({ id }: { id: string }) => id);
      expect(await ids('status=failed')).toEqual(['e-39', 'e-29', 'e-19', 'e-9']);
      expect(await ids('status=failed&model=m2')).toEqual(['e-29']);
      expect(await ids('status=refused')).toEqual([]);
      expect(await ids('to=2021-01-01T00:00:00Z')).toEqual([]);
      expect(await ids('from=2021-01-01T00:00:00Z')).toHaveLength(COUNT);
      expect((await get(`${filtered}/usage?limit=200`)).body.data).toHaveLength(13);
    });
    test('what cannot be asked', async () => {
      const { nextCursor } = (await get(`${all}/usage?limit=2`)).body;
      expectProblem(await get(`${filtered}/usage?cursor=${nextCursor}`), 400, 'cursor');
      expectProblem(await get(`${all}/usage?status=failed&cursor=${nextCursor}`), 400, 'cursor');
      for (const path of ['usage', 'usage/summary', 'usage/breakdown']) {
        expectProblem(await acme.get(`budgets/nobody/${path}`), 404, 'not_found');
        expectProblem(await api().as(freshTenant()).get(`budgets/${all}/${path}`), 404, 'not_found');
      }
    });
  });

  describe('what a budget counted', () => {
    test('the summary is the balance, with what failed apart', async () => {
      for (const id of [all, filtered]) {
        const { body } = await get(`${id}/usage/summary`);
        expect(body).toMatchObject({ budgetId: id, currency: 'USD', spend: [{ amount: await spendOf(id), currency: 'USD' }], unpriced: 0 });
      }
      expect((await get(`${all}/usage/summary`)).body).toMatchObject({ events: COUNT, failed: { events: 4 } });
    });
    test.each([
      '',
      'by=model',
      'by=room',
      'by=status',
      'by=nothing',
      'by=room&granularity=day&timezone=Asia/Kathmandu',
      'granularity=month',
    ])('any grouping sums to the ledger: %s', async (query) => {
      for (const id of [all, filtered]) {
        const { body } = await get(`${id}/usage/breakdown?${query}`);
        const sum = body.data.reduce(
          (total: bigint, row: { spend: { amount: string }[] }) => total + picos(row.spend[0]?.amount ?? '0'),
          0n,
        );
        expect(sum).toBe(picos(await spendOf(id)));
        expect(body.total.spend).toEqual([{ amount: await spendOf(id), currency: 'USD' }]);
      }
    });
    test('a scope by a dimension that no rollup is kept by', async () => {
      const { body } = await acme.get(`scopes/team/ml/usage/breakdown?by=room&minPosition=${position}`, WAIT);
      const byModel = await acme.get(`scopes/team/ml/usage/breakdown?by=model&minPosition=${position}`, WAIT);
      expect(body.data.map(({ room }: { room: string }) => room).sort()).toEqual(expect.arrayContaining(['r0', 'r1', 'r2', 'r3', 'r4']));
      expect(body.total).toEqual(byModel.body.total);
    });
    test('what cannot be priced is said, not taken for zero', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant);
      const at = await tenant.record(
        usageOf('1'),
        usageOf('1', { cost: { amount: '1', currency: 'CHF' } }),
        usageOf('0', { cost: undefined, meter: 'x', quantities: { things: '5' } }),
      );
      for (const path of ['summary', 'breakdown']) {
        const { body } = await tenant.get(`budgets/${id}/usage/${path}?minPosition=${at}`, WAIT);
        expect(body.total ?? body).toMatchObject({ spend: [{ amount: '1', currency: 'USD' }], events: 3, unpriced: 2 });
      }
      expect((await tenant.get(`budgets/${id}/usage?limit=1`)).body.data[0]).toMatchObject({
        cost: null,
        amount: null,
        unpriced: ['things'],
      });
    });
  });
};
