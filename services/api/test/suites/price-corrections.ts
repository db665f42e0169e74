import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

const THRESHOLDS = [
  { percent: 50, severity: 'warning' },
  { percent: 80, severity: 'critical' },
];

/** PRODUCT A5 and J9: prices that were wrong, corrected for what is to come and for what was. */
export const priceCorrections = (api: () => Client): void => {
  const price = (amount: string, more: object = {}) => ({
    meter: 'llm.tokens',
    match: { model: 'm' },
    unit: 'inputTokens',
    amount,
    per: 1,
    ...more,
  });
  const tokens = (count: number, more: object = {}) =>
    usageOf('0', { cost: undefined, meter: 'llm.tokens', quantities: { inputTokens: String(count) }, dimensions: { model: 'm' }, ...more });
  const listOf = async (tenant: Client, ...prices: object[]): Promise<string> =>
    (await tenant.post('price-lists', { name: 'L', effectiveFrom: '2020-01-01T00:00:00Z', prices })).body.id;
  const statusOf = async (tenant: Client, id: string, position: string) =>
    (await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body;

  describe('a correction of prices', () => {
    let tenant: Client;
    let list: string;
    let budget: string;
    let euros: string;
    let before: string;
    beforeAll(async () => {
      tenant = api().as(freshTenant());
      await tenant.post('scopes', { type: 'team', id: 'ml', parents: ['org:x'] });
      await tenant.post('exchange-rates', { from: 'USD', to: 'EUR', rate: '2', effectiveFrom: '2020-01-01T00:00:00Z' });
      list = await listOf(tenant, price('1'), price('9', { match: { model: 'other' } }));
      const annual = { period: { kind: 'annual' }, limit: { amount: '100', currency: 'USD' }, thresholds: THRESHOLDS };
      budget = (await makeBudget(tenant, annual)).id;
      euros = (await makeBudget(tenant, { ...annual, name: 'E', scope: 'org:x', limit: { amount: '1000', currency: 'EUR' } })).id;
      before = await tenant.record(
        tokens(40),
        tokens(20),
        usageOf('7'),
        tokens(1, { dimensions: { model: 'other' } }),
        tokens(3, { dimensions: { model: 'new' } }),
      );
    });
    const correct = (amount: string, more: object = {}) =>
      tenant.post(`price-lists/${list}/correct`, { prices: [price(amount), price('0.5', { match: { model: 'new' } })], ...more });

    test('says in a dry run what would change, to the pico, and changes nothing', async () => {
      const { status, body } = await correct('0.1', { dryRun: true });
      expect([status, body]).toMatchObject([200, { listId: list, dryRun: true, status: 'dry_run', correctionId: null }]);
      expect(body.report).toMatchObject({
        rerated: 2,
        priced: 1,
        differences: [{ currency: 'USD', events: 3, previous: '60', cost: '7.5', difference: '-52.5' }],
        scopes: ['team:ml', 'org:x', expect.stringMatching(/^tenant:/)].map((scope) => ({
          scope,
          differences: [{ currency: 'USD', difference: '-52.5' }],
        })),
        truncated: false,
      });
      const of = (id: string) => body.report.budgets.find(({ budgetId }: { budgetId: string }) => budgetId === id);
      expect(of(budget)).toMatchObject({
        difference: '-52.5',
        periods: [
          {
            events: 3,
            previousSpend: '76',
            spend: '23.5',
            thresholds: [{ threshold: '50%', severity: 'warning', change: 'cleared' }],
          },
        ],
      });
      expect(of(euros)).toMatchObject({ currency: 'EUR', difference: '-105', periods: [{ previousSpend: '152', spend: '47' }] });
      expect(body.report.usage).toHaveLength(3);
      const now = await tenant.get(`budgets/${budget}/status`);
      expect(now.body).toMatchObject({ currentSpend: '76', waiting: 1, activeAlerts: [{ percent: 50 }] });
      expect((await tenant.get('price-lists/current')).body.data[0].prices).toMatchObject([{ amount: '1' }, { amount: '9' }]);
    });

    test('counts in a dry run what was accepted just before it', async () => {
      const other = api().as(freshTenant());
      const only = await listOf(other, price('1'));
      for (let sent = 1; sent <= 15; sent += 1) {
        await other.record(tokens(1));
        const { body } = await other.post(`price-lists/${only}/correct`, { prices: [price('3')], dryRun: true });
        expect(body.report).toMatchObject({ rerated: sent, differences: [{ difference: String(2 * sent) }] });
      }
    });

    test('does what the dry run said, for every budget, scope and threshold; history shows the difference; what stands stands', async () => {
      const dry = (await correct('0.1', { dryRun: true })).body;
      const { status, body, headers } = await correct('0.1');
      expect([status, body]).toMatchObject([200, { dryRun: false, status: 'applied', correctionId: expect.any(String) }]);
      // Other tenants of the partition move its head in between.
      expect({ ...body.report, position: null }).toEqual({ ...dry.report, position: null });
      expect(headers.get('bursar-position')).toBe(body.position);
      expect(await statusOf(tenant, budget, body.position)).toMatchObject({ currentSpend: '23.5', waiting: 0, activeAlerts: [] });
      expect(await statusOf(tenant, euros, body.position)).toMatchObject({ currentSpend: '47' });
      const summary = (await tenant.get(`scopes/org/x/usage/summary?minPosition=${body.position}`, WAIT)).body;
      expect(summary).toMatchObject({ spend: [{ amount: '23.5', currency: 'USD' }], events: 5, unpriced: 0 });
      for (const by of ['model', 'team', 'scope']) {
        const { total } = (await tenant.get(`budgets/${budget}/usage/breakdown?by=${by}&minPosition=${body.position}`, WAIT)).body;
        expect([by, total]).toMatchObject([by, { spend: [{ amount: '23.5', currency: 'USD' }], events: 5 }]);
      }
      const { data } = (await tenant.get(`budgets/${budget}/usage`)).body;
      expect(data.map((one: { kind: string; amount: string }) => `${one.kind} ${one.amount}`)).toEqual([
        ...['rerate -18', 'rerate -36'],
        ...['usage 1.5', 'usage 9', 'usage 7', 'usage 20', 'usage 40'],
      ]);
      expect(data[1]).toMatchObject({
        cause: 'price',
        correctionId: body.correctionId,
        previousCost: { amount: '40' },
        cost: { amount: '4' },
      });

      const current = async (query = '') =>
        (await tenant.get(`price-lists/current${query}`)).body.data[0].prices.map((one: { amount: string }) => one.amount);
      expect([await current(), await current(`?asOf=${before}`)]).toEqual([
        ['0.1', '9', '0.5'],
        ['1', '9'],
      ]);
      expect((await tenant.get(`budgets/${budget}/status?asOf=${before}`)).body).toMatchObject({ currentSpend: '76', waiting: 1 });
      expect((await tenant.get(`budgets/${budget}/status?asOf=${body.position}`)).body).toMatchObject({ currentSpend: '23.5' });
      const after = await tenant.record(tokens(10));
      expect(await statusOf(tenant, budget, after)).toMatchObject({ currentSpend: '24.5' });
    });

    test('again, takes back what the one before made; a budget made afterwards counts the same', async () => {
      const { position } = (await correct('1')).body;
      expect(await statusOf(tenant, budget, position)).toMatchObject({
        currentSpend: '87.5',
        activeAlerts: [{ percent: 80 }, { percent: 50 }],
      });
      const later = await makeBudget(tenant, { name: 'Later', period: { kind: 'annual' } });
      let counted = later.status;
      for (let tries = 0; counted.status === 'counting' && tries < 400; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        counted = await statusOf(tenant, later.id, later.status.position);
      }
      expect(counted).toMatchObject({ currentSpend: '87.5' });
    });

    test('under one Idempotency-Key is made once; of a list that is not there, or another tenant, it is 404', async () => {
      const body = { prices: [price('2')] };
      const headers = { headers: { 'idempotency-key': randomUUID() } };
      const [first, again] = [
        await tenant.post(`price-lists/${list}/correct`, body, headers),
        await tenant.post(`price-lists/${list}/correct`, body, headers),
      ];
      expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([first.body, 'true']);
      expectProblem(await tenant.post(`price-lists/${randomUUID()}/correct`, body), 404, 'not_found');
      expectProblem(await api().as(freshTenant()).post(`price-lists/${list}/correct`, body), 404, 'not_found');
      expectProblem(await tenant.post(`price-lists/${list}/correct`, { prices: [] }), 400, undefined, '/prices');
    });
  });

  test('usage that arrives while prices are corrected costs the new ones, wherever it is rated', async () => {
    const tenant = api().as(freshTenant());
    const { id } = await makeBudget(tenant, { limit: { amount: '1000000', currency: 'USD' }, period: { kind: 'annual' } });
    const list = await listOf(tenant, price('1'));
    let sent = 0;
    const send = async (): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        await tenant.record(tokens(1), tokens(1));
        sent += 2;
      }
    };
    const correct = async (): Promise<void> => {
      for (const amount of ['2', '3', '5'])
        expect((await tenant.post(`price-lists/${list}/correct`, { prices: [price(amount)] })).body.status).toBe('applied');
    };
    await Promise.all([send(), send(), send(), correct()]);
    const position = await tenant.record(tokens(1));
    expect(await statusOf(tenant, id, position)).toMatchObject({ currentSpend: String((sent + 1) * 5) });
    const { data } = (await tenant.get(`budgets/${id}/usage/breakdown?by=model&minPosition=${position}`, WAIT)).body;
    expect(data).toMatchObject([{ spend: [{ amount: String((sent + 1) * 5) }], events: sent + 1 }]);
  });

  describe('price errors (RELIABILITY §6)', () => {
    test.each(['PR #36561', 'PR #30715', '#25874'])(
      '%s: an unknown model never costs $0: it waits, is shown, and its cap trips once it has a price',
      async () => {
        const tenant = api().as(freshTenant());
        const list = await listOf(tenant, price('1'));
        const { id } = await makeBudget(tenant, { limit: { amount: '10', currency: 'USD' } });
        const position = await tenant.record(tokens(50, { dimensions: { model: 'unknown' } }));
        expect(await statusOf(tenant, id, position)).toMatchObject({ currentSpend: '0', waiting: 1 });
        expect((await tenant.get(`budgets/${id}/usage`)).body.data).toMatchObject([
          { cost: null, amount: null, unpriced: ['inputTokens'] },
        ]);
        const made = await tenant.post(`price-lists/${list}/correct`, { prices: [price('1', { match: { model: 'unknown' } })] });
        expect(await statusOf(tenant, id, made.body.position)).toMatchObject({
          currentSpend: '50',
          waiting: 0,
          status: 'exceeded',
          alertLevel: 'blocked',
        });
      },
    );

    test('#16051: a negative cost or price is refused, wherever it is sent', async () => {
      const tenant = api().as(freshTenant());
      const list = await listOf(tenant, price('1'));
      const [result] = (await tenant.post('usage', usageOf('-1'))).body.results;
      expect(result).toMatchObject({ status: 'rejected', problem: { code: 'negative' } });
      expectProblem(await tenant.post(`price-lists/${list}/correct`, { prices: [price('-1')] }), 400, 'negative', '/prices/0/amount');
      const [{ eventId }] = (await tenant.post('usage', tokens(1))).body.results;
      expectProblem(await tenant.post(`usage/${eventId}/adjust`, { cost: { amount: '-1' }, reason: 'r' }), 400, 'negative', '/cost/amount');
    });

    test('#20615: one wrong price blocks; its correction unblocks, and no table was touched by hand', async () => {
      const tenant = api().as(freshTenant());
      const list = await listOf(tenant, price('1000'));
      const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
      const position = await tenant.record(tokens(1));
      expect(await statusOf(tenant, id, position)).toMatchObject({ currentSpend: '1000', alertLevel: 'blocked' });
      const ask = async () => (await tenant.post('check', { scopes: ['team:ml'], amount: '1' })).body.allowed;
      expect(await ask()).toBe(false);
      await tenant.post(`price-lists/${list}/correct`, { prices: [price('1')] });
      expect(await ask()).toBe(true);
      expect((await tenant.get(`budgets/${id}/status`)).body).toMatchObject({ currentSpend: '1', alertLevel: 'green', activeAlerts: [] });
    });
  });

  describe('a breakdown', () => {
    test('by a type of scope groups by the scope of that type, the usage own before those above; by any name keeps it', async () => {
      const tenant = api().as(freshTenant());
      await tenant.post('scopes', { type: 'user', id: 'a', parents: ['team:ml'] });
      const { id } = await makeBudget(tenant, { period: { kind: 'annual' } });
      const position = await tenant.record(
        usageOf('1', { scopes: ['user:a'] }),
        usageOf('2', { scopes: ['user:b', 'team:ml'] }),
        usageOf('4', { dimensions: { user: 'said' } }),
      );
      const by = async (name: string) =>
        (await tenant.get(`budgets/${id}/usage/breakdown?by=${name}&minPosition=${position}`, WAIT)).body.data.map(
          (one: { key: string | null; spend: { amount: string }[] }) => `${one.key} ${one.spend[0]?.amount}`,
        );
      expect(await by('user')).toEqual(['said 4', 'b 2', 'a 1']);
      expect(await by('team')).toEqual(['ml 7']);
      expect(await by('scope')).toEqual(['team:ml 4', 'user:b 2', 'user:a 1']);
      expect(await by('nothing')).toEqual(['null 7']);
      const odd = await tenant.get(`budgets/${id}/usage/breakdown?by=__proto__&minPosition=${position}`, WAIT);
      expect(odd.text).toContain('"__proto__":null,"key":null');
    });
  });
};
