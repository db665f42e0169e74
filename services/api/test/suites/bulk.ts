import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Reply } from '../support/client.js';
import { budgetBody, expectProblem, freshTenant, makeBudget } from '../support/make.js';

export const bulk = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const importCsv = (tenant: Client, raw: string, headers: Record<string, string> = {}): Promise<Reply> =>
    tenant.post('budgets/import', undefined, { raw, headers: { 'content-type': 'text/csv', ...headers } });
  const statuses = ({ body }: Reply): string[] => body.results.map(({ status }: { status: string }) => status);

  describe('many budgets at once', () => {
    test('each has its result in order, and what is wrong sinks no other', async () => {
      const { id } = await makeBudget(acme);
      const items = [
        { budget: budgetBody({ name: 'new' }) },
        { budget: budgetBody({ limit: { amount: '-1' } }) },
        { id, budget: budgetBody({ name: 'changed' }) },
        { id, budget: budgetBody({ name: 'changed' }), extra: 1 },
        { id: 'nobody', budget: budgetBody() },
        'no object',
        { budget: budgetBody({ scope: 'tenant:other' }) },
        { budget: budgetBody({ name: 'last' }) },
      ];
      const reply = await acme.post('budgets/bulk', { budgets: items });
      expect(reply.status).toBe(200);
      expect(statuses(reply)).toEqual(['created', 'rejected', 'updated', 'rejected', 'rejected', 'rejected', 'rejected', 'created']);
      const { results } = reply.body;
      expect(results[1].problem).toMatchObject({ status: 400, code: 'negative', errors: [{ pointer: '/budget/limit/amount' }] });
      expect(results.map(({ problem }: { problem?: { code: string } }) => problem?.code)).toEqual([
        undefined,
        'negative',
        undefined,
        'unknown_field',
        'not_found',
        'wrong_type',
        'not_found',
        undefined,
      ]);
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({ name: 'changed', revision: 1 });
      expect((await acme.get(`budgets/${results[7].id}`)).body).toMatchObject({ name: 'last', revision: 0 });
    });
    test('the same request again makes nothing twice', async () => {
      const tenant = api().as(freshTenant());
      const body = { budgets: Array.from({ length: 30 }, (_, index) => ({ budget: budgetBody({ name: `B${index}` }) })) };
      const headers = { 'idempotency-key': 'bulk-1' };
      const [first, again] = [await tenant.post('budgets/bulk', body, { headers }), await tenant.post('budgets/bulk', body, { headers })];
      expect(again.body).toEqual(first.body);
      expect((await tenant.get('budgets?limit=200')).body.data).toHaveLength(30);
    });
    test('a thousand are made within the time of one request, more are refused', async () => {
      const tenant = api().as(freshTenant());
      const budgets = Array.from({ length: 1_000 }, (_, index) => ({ budget: budgetBody({ name: `B${index}` }) }));
      const reply = await tenant.post('budgets/bulk', { budgets });
      expect(new Set(statuses(reply))).toEqual(new Set(['created']));
      expectProblem(await tenant.post('budgets/bulk', { budgets: [...budgets, ...budgets] }), 400, 'too_many', '/budgets');
      expectProblem(await tenant.post('budgets/bulk', { budgets: [] }), 400, 'too_few', '/budgets');
    });
  });

  describe('CSV', () => {
    test('IN-C12 an export comes back as it was, and holds no formula', async () => {
      const tenant = api().as(freshTenant());
      await makeBudget(tenant, { name: "=cmd|'/c calc'!A1", description: '-1 "quoted", and\nlines', metadata: { a: ['=1'] } });
      await makeBudget(tenant, { name: '@SUM', limit: null, members: ['user:=a', 'user:b'], filter: { dimensions: { model: 'g*' } } });
      await makeBudget(tenant, {
        name: 'Ünïcode',
        period: { kind: 'rolling', length: '30d' },
        thresholds: [{ amount: '5', severity: 'info' }],
      });
      const exported = await tenant.get('budgets/export.csv');
      expect(exported.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(exported.text).toContain(`"'=cmd|'/c calc'!A1"`);
      expect(exported.text).not.toMatch(/(^|,|\n)"?[=+@-]/);
      expect(statuses(await importCsv(tenant, exported.text))).toEqual(['unchanged', 'unchanged', 'unchanged']);
      expect((await tenant.get('budgets/export.csv')).text).toBe(exported.text);
      // Elsewhere, and without ids, they are other budgets of the same definition.
      const other = api().as(freshTenant());
      expect(statuses(await importCsv(other, `\uFEFF${exported.text.replace(/^("?)[0-9a-f-]{36}/gm, '$1')}`))).toEqual(
        Array(3).fill('created'),
      );
      const names = (await other.get('budgets')).body.data.map(({ name }: { name: string }) => name).sort();
      expect(names).toEqual(["=cmd|'/c calc'!A1", '@SUM', 'Ünïcode']);
    });
    test('a few columns make a budget, or change it and leave the rest', async () => {
      const { id } = await makeBudget(acme, { name: 'Before', levels: { yellow: 10 }, limit: { amount: '5', currency: 'EUR' } });
      const reply = await importCsv(acme, `id,name,limit\r\n${id},After,7.5\r\n,No scope,1\r\n${id},too,many,cells\r\n`);
      expect(reply.body.results).toMatchObject([
        { row: 2, status: 'updated', id, revision: 1 },
        {
          row: 3,
          status: 'rejected',
          problem: { code: 'required', errors: expect.arrayContaining([expect.objectContaining({ pointer: '/scope' })]) },
        },
        { row: 4, status: 'rejected', problem: { code: 'wrong_type' } },
      ]);
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({
        name: 'After',
        limit: { amount: '7.5', currency: 'EUR' },
        levels: { yellow: 10 },
      });
      const made = await importCsv(
        acme,
        'name,scope,period,limit\nFew,team:x,weekly,3\nFree,team:x,daily,unlimited\nForgotten,team:x,daily,\n',
      );
      expect(statuses(made)).toEqual(['created', 'created', 'rejected']);
      expect((await acme.get(`budgets/${made.body.results[1].id}`)).body.status).toMatchObject({ limit: null, currency: 'USD' });
    });
    test('what is no CSV of budgets', async () => {
      for (const [raw, code] of [
        ['', 'empty_body'],
        ['name,shoe_size\nx,1\n', 'unknown_field'],
        ['name,name\nx,y\n', 'duplicate'],
        ['name\n', 'too_few'],
        ['name\n"x', 'text_format'],
        [`name\n${'x\n'.repeat(1_001)}`, 'too_many'],
      ] as const) {
        const reply = await importCsv(acme, raw);
        expect([raw.slice(0, 20), reply.status]).toEqual([raw.slice(0, 20), 400]);
        if (raw !== '') expectProblem(reply, 400, code);
      }
      expectProblem(await acme.post('budgets/import', { name: 'x' }), 415);
      expectProblem(
        await acme.post('budgets/import', undefined, { raw: new Uint8Array([0x6e, 0xff, 0xfe]), headers: { 'content-type': 'text/csv' } }),
        400,
        'text_format',
      );
    });
  });

  describe('templates', () => {
    test('shipped ones are there, and one of them can be given another content', async () => {
      const tenant = api().as(freshTenant());
      const names = async () => (await tenant.get('templates')).body.data.map(({ name }: { name: string }) => name);
      expect(await names()).toEqual(['admin', 'budget', 'enterprise', 'growth', 'monthly-cap', 'starter', 'tenant', 'user']);
      const saved = await tenant.post('templates', { name: 'starter', budget: { limit: { amount: '5', currency: 'EUR' } } });
      expect([saved.status, saved.body]).toMatchObject([201, { name: 'starter', builtIn: false }]);
      await tenant.post('templates', { name: 'ours', budget: { period: { kind: 'weekly' } } });
      const { body } = await tenant.get(`templates?limit=1&cursor=${(await tenant.get('templates?limit=6')).body.nextCursor}`);
      expect(body.data).toEqual([{ name: 'starter', builtIn: false, budget: { limit: { amount: '5', currency: 'EUR' } } }]);
      expect(await names()).toContain('ours');
      const made = await tenant.post('budgets', {
        name: 'n',
        scope: 'team:x',
        limit: null,
        period: { kind: 'daily' },
        ...body.data[0].budget,
      });
      expect(made.status).toBe(201);
    });
    test('the defaults of POST /budgets are one, and another content is what budgets are made with from then on (B6)', async () => {
      const tenant = api().as(freshTenant());
      const body = { name: 'n', scope: 'team:x', limit: { amount: '10', currency: 'USD' }, period: { kind: 'daily' } };
      const made = async (more: object = {}) => {
        const reply = await tenant.post('budgets', { ...body, ...more });
        return [reply.body.thresholds?.map(({ percent }: { percent: number }) => percent), reply.body.enforcement?.blockAtPercent];
      };
      expect(await made()).toEqual([[80, 95], 100]);
      const budget = { thresholds: [{ percent: 50, severity: 'warning' }], enforcement: { blockAtPercent: 120 } };
      await tenant.post('templates', { name: 'budget', budget });
      expect(await made()).toEqual([[50], 120]);
      expect(await made({ thresholds: [] })).toEqual([[], 120]);
      const { body: bulk } = await tenant.post('budgets/bulk', { budgets: [{ budget: body }] });
      expect((await tenant.get(`budgets/${bulk.results[0].id}`)).body.enforcement.blockAtPercent).toBe(120);
      await tenant.delete('templates/budget');
      expect(await made()).toEqual([[80, 95], 100]);
    });
    test('what no budget could be made of is refused', async () => {
      expectProblem(
        await acme.post('templates', { name: 'x', budget: { limit: { amount: '-5' } } }),
        400,
        'negative',
        '/budget/limit/amount',
      );
      expectProblem(await acme.post('templates', { name: 'x', budget: { scope: 'team:ml' } }), 400, 'unknown_field', '/budget/scope');
      expectProblem(await acme.post('templates', { name: 'x', budget: { shoes: 1 } }), 400, 'unknown_field', '/budget/shoes');
    });
  });
};
