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
      expectProblem(await breakdown('&order=desc'), 400, 'unknown_field', '/order');
      expectProblem(await acme.get('scopes/tenant/other/summary'), 404, 'not_found');
    });
  });

  describe('any grouping sums to the ledger', () => {
    /** A fixed pseudo-random sequence, so that a failure repeats. */
    const random = (seed: number) => () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const pick = <T>(next: () => number, items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
    const picos = (amount: string): bigint => {
      const [whole = '0', fraction = ''] = amount.split('.');
      return BigInt(whole + fraction.padEnd(12, '0'));
    };
    const START = Date.parse('2026-03-27T00:00:00Z');

    test('by every dimension, at every granularity, in every zone, at every level', async () => {
      const next = random(20_260_327);
      const tenant = api().as(freshTenant());
      await tenant.post('scopes', { type: 'team', id: 'x', parents: ['org:o', 'org:p'] });
      await tenant.post('scopes', { type: 'org', id: 'p', parents: ['org:o'] });
      const events = Array.from({ length: 150 }, () => ({
        amount: `${Math.floor(next() * 50)}.${String(Math.floor(next() * 1e12)).padStart(12, '0')}`.replace(/0+$/, '').replace(/\.$/, ''),
        team: pick(next, ['x', 'y']),
        occurredAt: new Date(START + Math.floor(next() * 6 * 86_400_000)).toISOString(),
        dimensions: { model: pick(next, ['a', 'b', 'ü']), agent: pick(next, ['1', '2']) },
        category: pick(next, ['c', 'd']),
      }));
      const position = await tenant.record(
        ...events.map(({ amount, team, ...more }) => usageOf(amount, { scopes: [`team:${team}`], ...more })),
      );
      const sumOf = (teams: readonly string[]): bigint =>
        events.filter(({ team }) => teams.includes(team)).reduce((sum, { amount }) => sum + picos(amount), 0n);
      const expected = {
        'team/x': sumOf(['x']),
        'team/y': sumOf(['y']),
        'org/o': sumOf(['x']),
        'org/p': sumOf(['x']),
        [`tenant/${tenant.tenant}`]: sumOf(['x', 'y']),
      };
      const queries = [
        '',
        'by=model',
        'by=agent&granularity=day',
        'by=category&granularity=hour&timezone=Asia/Kathmandu',
        'granularity=week',
        'granularity=month&timezone=America/New_York',
        'by=campaign&granularity=day&timezone=Europe/Berlin',
      ];
      for (const [scope, sum] of Object.entries(expected)) {
        for (const query of queries) {
          const { body } = await tenant.get(`scopes/${scope}/usage/breakdown?minPosition=${position}&${query}`, WAIT);
          const rows = body.data as { spend: { amount: string }[]; events: number }[];
          expect(rows.reduce((total, { spend: sums }) => total + picos(sums[0]?.amount ?? '0'), 0n)).toBe(sum);
          expect(picos(body.total.spend[0].amount)).toBe(sum);
          expect(rows.reduce((total, { events: count }) => total + count, 0)).toBe(body.total.events);
        }
      }
    });
  });
};
