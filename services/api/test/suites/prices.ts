import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

export const prices = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const price = (more: object = {}) => ({
    meter: 'llm.tokens',
    match: { model: 'm' },
    unit: 'inputTokens',
    amount: '2.50',
    per: 1_000_000,
    ...more,
  });
  const tokens = (more: object = {}) =>
    usageOf('0', { cost: undefined, meter: 'llm.tokens', quantities: { inputTokens: '1200' }, dimensions: { model: 'm' }, ...more });

  describe('prices', () => {
    test('a list posted is in force for the next event', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant);
      const made = await tenant.post('price-lists', {
        name: 'L',
        currency: 'USD',
        effectiveFrom: '2020-01-01T00:00:00Z',
        prices: [price()],
      });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ id: expect.any(String), name: 'L', currency: 'USD', effectiveFrom: '2020-01-01T00:00:00Z' });
      const position = await tenant.record(tokens());
      expect((await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body.currentSpend).toBe('0.003');
      expect((await tenant.get('price-lists')).body.data).toMatchObject([{ id: made.body.id, name: 'L', from: null, priceCount: 1 }]);
      const current = (await tenant.get('price-lists/current')).body.data;
      expect(current).toMatchObject([{ id: made.body.id, prices: [{ ...price(), amount: '2.5' }] }]);
    });

    test('usage without a price waits, and counts when one arrives', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant);
      const position = await tenant.record(tokens());
      expect((await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body).toMatchObject({
        currentSpend: '0',
        waiting: 1,
      });
      await tenant.post('price-lists', { name: 'L', effectiveFrom: '2020-01-01T00:00:00Z', prices: [price()] });
      expect((await tenant.get(`budgets/${id}/status`)).body).toMatchObject({ currentSpend: '0.003', waiting: 0 });
    });

    test.each(['public-llm', 'agents'])('the shipped list %s loads whole', async (from) => {
      const tenant = acme.as(freshTenant());
      const made = await tenant.post('price-lists', { from });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ from, currency: 'USD', effectiveFrom: '1970-01-01T00:00:00Z' });
      const [list] = (await tenant.get('price-lists/current')).body.data;
      expect(list.prices).toHaveLength(made.body.priceCount);
      expect(made.body.priceCount).toBeGreaterThan(from === 'agents' ? 5 : 500);
    });

    test('every digit of a price is kept', async () => {
      const amount = '0.000000000000000000000001';
      const tenant = acme.as(freshTenant());
      await tenant.post('price-lists', { name: 'L', prices: [price({ amount })] });
      expect((await tenant.get('price-lists/current')).body.data[0].prices[0].amount).toBe(amount);
    });

    test.each<[string, object, string]>([
      ['a list that is not shipped', { from: 'other' }, '/from'],
      ['a shipped list with prices', { from: 'agents', prices: [price()] }, '/prices'],
      ['no name', { prices: [price()] }, '/name'],
      ['no prices', { name: 'L', prices: [] }, '/prices'],
      ['IN-B4 a negative amount', { name: 'L', prices: [price({ amount: '-1' })] }, '/prices/0/amount'],
      ['IN-B2 an exponent', { name: 'L', prices: [price({ amount: '1e-7' })] }, '/prices/0/amount'],
      ['25 decimals', { name: 'L', prices: [price({ amount: '0.0000000000000000000000001' })] }, '/prices/0/amount'],
      ['per 0', { name: 'L', prices: [price({ per: 0 })] }, '/prices/0/per'],
      [
        'a comparison that is none',
        { name: 'L', prices: [price({ when: { inputTokens: { above: 5 } } })] },
        '/prices/0/when/inputTokens/above',
      ],
      ['IN-C7 unknown field', { name: 'L', prices: [price({ tier: 1 })] }, '/prices/0/tier'],
      ['IN-B19 currency', { name: 'L', currency: 'usd', prices: [price()] }, '/currency'],
    ])('%s', async (_name, body, pointer) => expectProblem(await acme.post('price-lists', body), 400, undefined, pointer));
  });

  describe('exchange rates', () => {
    test('a rate set lets waiting usage count', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant);
      const position = await tenant.record(usageOf('10', { cost: { amount: '10', currency: 'EUR' } }));
      expect((await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body).toMatchObject({
        currentSpend: '0',
        waiting: 1,
      });
      const made = await tenant.post('exchange-rates', { from: 'EUR', to: 'USD', rate: '1.085', effectiveFrom: '2020-01-01T00:00:00Z' });
      expect([made.status, made.body]).toMatchObject([201, { from: 'EUR', to: 'USD', rate: '1.085' }]);
      expect((await tenant.get(`budgets/${id}/status`)).body).toMatchObject({ currentSpend: '10.85', waiting: 0 });
      expect((await tenant.get('exchange-rates')).body.data).toMatchObject([{ from: 'EUR', to: 'USD', rate: '1.085' }]);
    });
    test.each<[string, object]>([
      ['a currency in itself', { from: 'EUR', to: 'EUR', rate: '1' }],
      ['a rate of zero', { from: 'EUR', to: 'USD', rate: '0' }],
      ['a rate below zero', { from: 'EUR', to: 'USD', rate: '-1' }],
      ['no currency', { from: 'XXX', to: 'USD', rate: '1' }],
    ])('%s', async (_name, body) => expectProblem(await acme.post('exchange-rates', body), 400));

    test('pages are newest first', async () => {
      const tenant = acme.as(freshTenant());
      for (const rate of ['1', '2', '3']) await tenant.post('exchange-rates', { from: 'EUR', to: 'USD', rate });
      const first = (await tenant.get('exchange-rates?limit=2')).body;
      const second = (await tenant.get(`exchange-rates?limit=2&cursor=${first.nextCursor}`)).body;
      expect([...first.data, ...second.data].map(({ rate }: { rate: string }) => rate)).toEqual(['3', '2', '1']);
      expect(second.nextCursor).toBeNull();
    });
  });
};
