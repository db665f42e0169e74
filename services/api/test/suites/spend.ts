import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, usageOf } from '../support/make.js';

export const spend = (api: () => Client): void => {
  let acme: Client;
  let position: string;
  const at = (occurredAt: string, amount: string, model: string | null, more: object = {}) =>
    usageOf(amount, { occurredAt, ...(model !== null && { dimensions: { model, provider: 'p' } }), ...more });

  beforeAll(async () => {
    acme = api().as(freshTenant());
    position = await acme.record(
      at('2026-03-28T22:30:00Z', '0.1', 'gpt-4o'),
      at('2026-03-28T23:30:00Z', '0.2', 'gpt-4o', { quantities: { inputTokens: '1000', outputTokens: '10' } }),
      at('2026-03-29T21:59:59.999Z', '0.000000000001', 'gpt-4o'),
      at('2026-03-29T22:00:00Z', '7', 'big', { status: 'failed' }),
      at('2026-04-01T00:10:00Z', '3', null, { cost: { amount: '3', currency: 'EUR' } }),
      at('2026-04-01T00:20:00Z', '0', 'unknown', { cost: undefined, meter: 'llm.tokens', quantities: { inputTokens: '5' } }),
    );
  });
  const breakdown = (query: string) => acme.get(`scopes/team/ml/usage/breakdown?minPosition=${position}${query}`, WAIT);

  describe('spend of a scope', () => {
    test('by a dimension: groups add up to the total, without a price is shown, other currencies stay apart', async () => {
      const { body } = await breakdown('&by=model');
      expect(body).toMatchObject({
        scope: 'team:ml',
        by: 'model',
        granularity: null,
        from: '2026-03-28T22:30:00Z',
        to: '2026-04-01T00:30:00Z',
      });
      const byModel = new Map(body.data.map((row: { key: string }) => [row.key, row]));
      expect(byModel.get('big')).toMatchObject({ model: 'big', spend: [{ amount: '7', currency: 'USD' }], events: 1, unpriced: 0 });
      expect(byModel.get('gpt-4o')).toMatchObject({
        spend: [{ amount: '0.300000000001', currency: 'USD' }],
        events: 3,
        inputTokens: '1000',
        outputTokens: '10',
      });
      expect(byModel.get(null)).toMatchObject({ spend: [{ amount: '3', currency: 'EUR' }] });
      expect(byModel.get('unknown')).toMatchObject({ spend: [], events: 1, unpriced: 1 });
      expect(body.total).toMatchObject({
        spend: [
          { amount: '3', currency: 'EUR' },
          { amount: '7.300000000001', currency: 'USD' },
        ],
        events: 6,
        unpriced: 1,
      });
    });

    test('by the days of a zone', async () => {
      const days = async (zone: string) =>
        (await breakdown(`&granularity=day&timezone=${zone}&to=2026-03-31T00:00:00Z`)).body.data.map(
          ({ start, spend: [sum] }: { start: string; spend: { amount: string }[] }) => [start, sum?.amount],
        );
      expect(await days('UTC')).toEqual([
        ['2026-03-28T00:00:00Z', '0.3'],
        ['2026-03-29T00:00:00Z', '7.000000000001'],
      ]);
      expect(await days('Europe/Berlin')).toEqual([
        ['2026-03-27T23:00:00Z', '0.1'],
        ['2026-03-28T23:00:00Z', '0.200000000001'],
        ['2026-03-29T22:00:00Z', '7'],
      ]);
    });

    test('from and to cut, hours split', async () => {
      const { body } = await breakdown('&granularity=hour&from=2026-03-28T23:00:00Z&to=2026-03-28T23:31:00Z');
      expect(body).toMatchObject({ from: '2026-03-28T23:00:00Z', to: '2026-03-28T23:45:00Z' });
      expect(body.data).toMatchObject([{ start: '2026-03-28T23:00:00Z', end: '2026-03-29T00:00:00Z', spend: [{ amount: '0.2' }] }]);
    });

    test('the summary says all, and what failed apart, under both addresses', async () => {
      for (const path of ['summary', 'usage/summary']) {
        const { body } = await acme.get(`scopes/tenant/${acme.tenant}/${path}?minPosition=${position}`, WAIT);
        expect(body).toMatchObject({ events: 6, unpriced: 1, failed: { events: 1, spend: [{ amount: '7', currency: 'USD' }] } });
      }
    });

    test('a scope without usage has spent nothing', async () => {
      const { body } = await acme.get('scopes/team/idle/usage/breakdown?by=model&granularity=day');
      expect(body).toMatchObject({ from: null, to: null, data: [], total: { spend: [], events: 0 } });
    });

    test('IN-G28 what cannot be asked', async () => {
      expectProblem(await breakdown('&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z'), 400, 'order', '/to');
      expectProblem(
        await breakdown('&granularity=hour&from=1970-01-01T00:00:00Z&to=2070-01-01T00:00:00Z'),
        400,
        'too_many',
        '/granularity',
      );
      expectProblem(await breakdown('&granularity=day&timezone=Mars/Base'), 400, 'timezone', '/timezone');
      expectProblem(await breakdown('&granularity=century'), 400, 'not_allowed', '/granularity');
      expectProblem(await breakdown('&by=shoe_size'), 501, 'not_implemented');
      expectProblem(await breakdown('&order=desc'), 400, 'unknown_field', '/order');
      expectProblem(await acme.get('scopes/tenant/other/summary'), 404, 'not_found');
    });
  });
};
