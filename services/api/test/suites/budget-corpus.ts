import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { budgetBody, expectProblem, freshTenant, makeBudget } from '../support/make.js';

/** Rows of RELIABILITY §4 that a budget can be refused by. */
export const budgetCorpus = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('bad budgets', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ percent: index + 1, severity: 'info' }));
    const keys = (count: number, length = 3) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`.padEnd(length, 'x'), 'v']));
    const limit = (amount: unknown) => ({ limit: { amount, currency: 'USD' } });
    const thresholds = (...items: object[]) => ({ thresholds: items.map((item) => ({ severity: 'warning', ...item })) });
    const timezone = (zone: unknown) => ({ period: { kind: 'monthly', timezone: zone } });

    test.each<[string, object, string, string]>([
      ['IN-G1 limit negative', limit('-1'), 'negative', '/limit/amount'],
      ['IN-G1 limit absent', { limit: undefined }, 'required', '/limit'],
      ['IN-G1 limit huge', limit('1'.padEnd(20, '0')), 'too_large', '/limit/amount'],
      ['a bare limit', { limit: 1000 }, 'wrong_type', '/limit'],
      ['IN-B4 -0', limit('-0'), 'amount_format', '/limit/amount'],
      ['IN-B2 exponent', limit('1e5'), 'amount_format', '/limit/amount'],
      ['IN-B8 hex', limit('0x10'), 'amount_format', '/limit/amount'],
      ['IN-B9 grouping', limit('1,000'), 'amount_format', '/limit/amount'],
      ['IN-B10 leading zero', limit('01'), 'amount_format', '/limit/amount'],
      ['IN-B11 13 decimals', limit('1.0000000000001'), 'scale', '/limit/amount'],
      ['IN-B18 true', limit(true), 'amount_format', '/limit/amount'],
      ['IN-B19 currency usd', { limit: { amount: '1', currency: 'usd' } }, 'currency', '/limit/currency'],
      ['IN-B19 currency ZZZ', { limit: { amount: '1', currency: 'ZZZ' } }, 'currency', '/limit/currency'],
      ['IN-G2 threshold 0', thresholds({ percent: 0 }), 'not_positive', '/thresholds/0/percent'],
      ['IN-G2 threshold negative', thresholds({ percent: -5 }), 'negative', '/thresholds/0/percent'],
      ['IN-G2 threshold 1000.1', thresholds({ percent: 1000.1 }), 'too_large', '/thresholds/0/percent'],
      ['IN-G2 duplicates', thresholds({ percent: 80 }, { percent: '80.0' }), 'duplicate', '/thresholds/1'],
      ['IN-G2 51 thresholds', { thresholds: many(51) }, 'too_many', '/thresholds'],
      ['IN-G10 spent', { spent: '5' }, 'unknown_field', '/spent'],
      ['IN-G10 held', { held: '5' }, 'unknown_field', '/held'],
      ['IN-G10 tenant_id, IN-C8', { tenant_id: 'other' }, 'unknown_field', '/tenant_id'],
      ['IN-G10 created_at', { created_at: '2026-01-01T00:00:00Z' }, 'unknown_field', '/created_at'],
      ['IN-G10 createdBy', { createdBy: 'me' }, 'unknown_field', '/createdBy'],
      ['IN-G10 version', { version: 3 }, 'unknown_field', '/version'],
      ['IN-G10 revision', { revision: 3 }, 'unknown_field', '/revision'],
      ['IN-G10 id is ours', { id: '7d8f2a52-0000-4000-8000-000000000000' }, 'unknown_field', '/id'],
      ['IN-C7 unknown field inside', { enforcement: { mode: 'block', blockAt: 1 } }, 'unknown_field', '/enforcement/blockAt'],
      ['name empty', { name: '' }, 'text_format', '/name'],
      ['name blank', { name: '   ' }, 'text_format', '/name'],
      ['name of 201 characters', { name: 'é'.repeat(201) }, 'too_long', '/name'],
      ['name with NUL', { name: 'a\u0000b' }, 'text_format', '/name'],
      ['name of another type', { name: 7 }, 'wrong_type', '/name'],
      ['scope absent', { scope: undefined }, 'required', '/scope'],
      ['scope without type', { scope: 'ml' }, 'scope_format', '/scope'],
      ['scope of upper case type', { scope: 'Team:ml' }, 'scope_format', '/scope'],
      ['scope object with more', { scope: { type: 'team', id: 'ml', x: 1 } }, 'scope_format', '/scope'],
      ['IN-C2 scope with newline', { scope: 'team:a\nb' }, 'scope_format', '/scope'],
      ['IN-C9 65 filter dimensions', { filter: { dimensions: keys(65) } }, 'too_many', '/filter/dimensions'],
      ['period absent', { period: undefined }, 'required', '/period'],
      ['period of no kind', { period: { kind: 'hourly' } }, 'not_allowed', '/period/kind'],
      ['rolling without length', { period: { kind: 'rolling' } }, 'required', '/period/length'],
      ['rolling of nothing', { period: { kind: 'rolling', length: '0d' } }, 'duration_format', '/period/length'],
      ['a length beside monthly', { period: { kind: 'monthly', length: '30d' } }, 'exclusive', '/period/length'],
      ['custom without end', { period: { kind: 'custom', start: '2026-01-01T00:00:00Z' } }, 'required', '/period/end'],
      [
        'custom that ends before it starts',
        { period: { kind: 'custom', start: '2026-02-01T00:00:00Z', end: '2026-01-01T00:00:00Z' } },
        'order',
        '/period/end',
      ],
      ['IN-D1 a date that is none', { period: { kind: 'monthly', anchor: '2026-02-30T00:00:00Z' } }, 'time_format', '/period/anchor'],
      [
        'IN-D2 an instant without offset',
        { period: { kind: 'monthly', anchor: '2026-03-08T02:30:00' } },
        'offset_required',
        '/period/anchor',
      ],
      ['IN-D13 EST5EDT', timezone('EST5EDT'), 'timezone', '/period/timezone'],
      ['IN-D13 GMT+25', timezone('GMT+25'), 'timezone', '/period/timezone'],
      ['IN-D13 Mars/Base', timezone('Mars/Base'), 'timezone', '/period/timezone'],
      ['IN-D13 empty zone', timezone(''), 'timezone', '/period/timezone'],
      ['block point below 100', { enforcement: { blockAtPercent: 99 } }, 'too_small', '/enforcement/blockAtPercent'],
      ['block point above 150', { enforcement: { blockAtPercent: 151 } }, 'too_large', '/enforcement/blockAtPercent'],
      ['levels that fall', { levels: { yellow: 90, orange: 80 } }, 'order', '/levels'],
      ['validUntil before validFrom', { validFrom: '2026-02-01T00:00:00Z', validUntil: '2026-01-01T00:00:00Z' }, 'order', '/validUntil'],
      ['metadata over 4 KB', { metadata: { a: 'x'.repeat(5_000) } }, 'too_long', '/metadata'],
    ])('%s', async (_name, more, code, pointer) => {
      expectProblem(await acme.post('budgets', budgetBody({ ...more })), 400, code, pointer);
    });

    test.each<[string, object, object]>([
      ['IN-G1 limit 0 denies all', limit('0'), { limit: { amount: '0', currency: 'USD' }, status: { percentUsed: null, blockPoint: '0' } }],
      ['IN-G1 limit null is unlimited', { limit: null }, { limit: null, status: { limit: null, remaining: null, currency: 'USD' } }],
      ['IN-B6 a JSON number', limit(0.1), { limit: { amount: '0.1' } }],
      [
        'IN-G2 unsorted, 80.5 and 101',
        thresholds({ percent: 101 }, { percent: 80.5 }),
        { thresholds: [{ percent: 80.5 }, { percent: 101 }] },
      ],
      ['a threshold by amount', thresholds({ amount: '400' }), { thresholds: [{ amount: '400' }] }],
      ['IN-D13 an alias', timezone('US/Pacific'), { period: { timezone: 'America/Los_Angeles' } }],
      ['yearly is annual', { period: { kind: 'yearly' } }, { period: { kind: 'annual' } }],
      ['a scope as object', { scope: { type: 'team', id: 'a:b' } }, { scope: 'team:a:b' }],
      ['IN-C5 __proto__ as text', { name: '__proto__', scope: 'team:constructor' }, { name: '__proto__', scope: 'team:constructor' }],
      ['IN-C10 SQL as text', { name: "'; drop table x; -- $1 \\ % _" }, { name: "'; drop table x; -- $1 \\ % _" }],
      ['IN-C13 markup as text', { name: `<script>{{7*7}}$${'{jndi:x}'}` }, { name: `<script>{{7*7}}$${'{jndi:x}'}` }],
      ['IN-G6 another currency', { limit: { amount: '5', currency: 'JPY' } }, { limit: { currency: 'JPY' }, status: { currency: 'JPY' } }],
    ])('%s', async (_name, more, expected) => {
      const made = await makeBudget(acme, more as Record<string, unknown>);
      expect(made).toMatchObject(expected);
      expect((await acme.get(`budgets/${made.id}`)).body).toMatchObject(expected);
    });

    test('IN-B1, IN-B7 number literals that JSON.parse would change', async () => {
      const send = (literal: string) => acme.post('budgets', undefined, { raw: JSON.stringify(budgetBody()).replace('"1000"', literal) });
      expectProblem(await send('1e400'), 400, 'amount_format', '/limit/amount');
      expectProblem(await send('-0'), 400, 'amount_format', '/limit/amount');
      expectProblem(await send('9007199254740993'), 400, 'unsafe_integer', '/limit/amount');
    });

    test('IN-C6 keys that could reach a prototype', async () => {
      const raw = JSON.stringify(budgetBody()).replace('{', '{"__proto__":{"isAdmin":true},');
      expectProblem(await acme.post('budgets', undefined, { raw }), 400, 'forbidden_key');
      expect((Object.prototype as { isAdmin?: unknown }).isAdmin).toBeUndefined();
    });

    test('IN-A bodies that are none', async () => {
      expectProblem(await acme.post('budgets'), 400, 'empty_body');
      expectProblem(await acme.post('budgets', undefined, { raw: '{"name":' }), 400, 'bad_json');
      for (const raw of ['[]', 'null', '7', '"x"']) expectProblem(await acme.post('budgets', undefined, { raw }), 400);
      expectProblem(await acme.post('budgets', undefined, { raw: `${'{"a":'.repeat(17)}1${'}'.repeat(17)}` }), 400, 'too_deep');
      for (const type of ['text/plain', 'application/cloudevents+json', 'application/json;charset=utf-16']) {
        expectProblem(await acme.post('budgets', budgetBody(), { headers: { 'content-type': type } }), 415);
      }
      expectProblem(await acme.post('budgets', { name: 'x'.repeat(4_194_304) }), 413);
    });

    test('IN-C17 the id of another tenant, IN-C18 ids that are none', async () => {
      const { id } = await makeBudget(acme);
      const other = acme.as(freshTenant());
      for (const path of [`budgets/${id}`, `budgets/${id}/status`, `budgets/${id}/alerts`])
        expectProblem(await other.get(path), 404, 'not_found');
      expectProblem(await other.put(`budgets/${id}`, budgetBody()), 404, 'not_found');
      expectProblem(await other.patch(`budgets/${id}`, { name: 'stolen' }), 404, 'not_found');
      expectProblem(await other.delete(`budgets/${id}`), 404, 'not_found');
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({ name: 'Monthly', revision: 0 });
      for (const bad of ['x', '%00', '%0a', 'a%2Fb', '-1', '..%2f', "'%20or%201=1", 'é'.repeat(200), '__proto__', '*', '>']) {
        for (const reply of [
          await acme.get(`budgets/${bad}`),
          await acme.patch(`budgets/${bad}`, { name: 'x' }),
          await acme.delete(`budgets/${bad}`),
        ]) {
          expect([400, 404]).toContain(reply.status);
          expectProblem(reply, reply.status);
        }
      }
    });

    test("another tenant's root is no scope here", async () => {
      expectProblem(await acme.post('budgets', budgetBody({ scope: 'tenant:somebody' })), 404, 'not_found');
      expectProblem(await acme.post('budgets', budgetBody({ members: ['tenant:somebody'] })), 404, 'not_found');
      expect(await makeBudget(acme, { scope: `tenant:${acme.tenant}` })).toMatchObject({ scope: `tenant:${acme.tenant}` });
    });

    test('IN-G7 a limit below what is spent is set, and a threshold newly reached crosses once', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant, { thresholds: [{ percent: 100, severity: 'critical' }] });
      await tenant.record({ id: '1', source: 's', scopes: ['team:ml'], cost: { amount: '600', currency: 'USD' } });
      const lower = await tenant.patch(`budgets/${id}`, { limit: { amount: '500' } });
      expect(lower.status).toBe(200);
      expect(lower.body.status).toMatchObject({
        limit: '500',
        currentSpend: '600',
        remaining: '-100',
        status: 'exceeded',
        alertLevel: 'blocked',
      });
      await tenant.patch(`budgets/${id}`, { limit: { amount: '400' } });
      const alerts = async () => (await tenant.get(`budgets/${id}/alerts`)).body.data;
      while ((await alerts()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await alerts()).toMatchObject([{ type: 'LIMIT', percent: 100, currentSpend: '600', limit: '500' }]);
    });
  });
};
