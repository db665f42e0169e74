import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { z } from 'zod';
import { Complaint } from '../fields/complaint.js';
import { readIdempotencyKey, readIfMatch, readPreferWait } from '../headers.js';
import { openApiDocument } from '../openapi.js';
import { parseWith } from '../parse.js';
import { ROUTES, routeOf } from './table.js';

/** `ok`, or the code and pointer of the first error. */
const outcome = (schema: z.ZodType | undefined, value: unknown): string => {
  if (schema === undefined) throw new Error('no schema');
  const parsed = parseWith(schema, value);
  return parsed.ok ? 'ok' : `${parsed.errors[0]?.code} ${parsed.errors[0]?.pointer}`;
};
const query = (operation: string, value: unknown): string => outcome(routeOf(operation).query, value);
const body = (operation: string, value: unknown): string => outcome(routeOf(operation).body, value);

describe('a query', () => {
  test.each([
    ['IN-G27', 'listBudgets', { limit: '1000000000' }, 'too_large /limit'],
    ['IN-G27', 'listBudgets', { limit: '201' }, 'too_large /limit'],
    ['IN-G27', 'listBudgets', { limit: '-1' }, 'too_small /limit'],
    ['IN-G27', 'listBudgets', { limit: '0' }, 'too_small /limit'],
    ['IN-G27', 'listBudgets', { limit: '200' }, 'ok'],
    ['IN-G27', 'listBudgets', { cursor: "x'; drop" }, 'cursor /cursor'],
    ['IN-G27', 'listBudgets', { sort: ';drop' }, 'unknown_field /sort'],
    ['IN-G27', 'listBudgets', { limit: ['1', '2'] }, 'not_an_integer /limit'],
    ['IN-G28', 'getScopeBreakdown', { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'order /to'],
    ['filter', 'listBudgets', { scopeType: 'team', scopeId: 'ml', status: 'warning', period: 'yearly', q: 'ai' }, 'ok'],
    ['filter', 'listBudgets', { status: 'fine' }, 'not_allowed /status'],
    ['position', 'getBudget', { minPosition: '3:17' }, 'ok'],
    ['position', 'getBudget', { minPosition: '17' }, 'position_format /minPosition'],
    ['position', 'getBudget', { minPosition: '3:99999999999999999' }, 'position_format /minPosition'],
    ['as of', 'getBudgetStatus', { asOf: '3:17' }, 'ok'],
    ['as of', 'getBudgetStatus', { asOf: '2026-01-01T00:00:00+01:00' }, 'ok'],
    ['as of', 'getBudgetStatus', { asOf: 'yesterday' }, 'time_format /asOf'],
    ['dry run', 'recordUsage', { dryRun: 'yes' }, 'not_allowed /dryRun'],
    ['none', 'createBudget', { force: 'true' }, 'unknown_field /force'],
    ['month', 'getMonthlySummary', { month: '2026-13' }, 'time_format /month'],
    ['month', 'getMonthlySummary', { month: '2026-12' }, 'ok'],
  ])('%s of %s %j: %s', (_row, operation, value, expected) => expect(query(operation, value)).toBe(expected));

  test('has the defaults of the contract', () => {
    expect(routeOf('listBudgets').query.parse({})).toEqual({ limit: 50 });
    expect(routeOf('recordUsage').query.parse({})).toEqual({ dryRun: false });
  });
});

const price = { meter: 'llm.tokens', match: { model: 'gpt-4o' }, unit: 'inputTokens', amount: '2.50', per: 1_000_000 };
const priced = (changes: object) => ({ name: 'x', prices: [{ ...price, ...changes }] });
const reservation = { scopes: ['team:ml'], amount: '1' };

describe('a body', () => {
  test.each([
    ['prices', 'createPriceList', { from: 'public-llm' }, 'ok'],
    ['prices', 'createPriceList', { from: 'nobody' }, 'not_allowed /from'],
    ['prices', 'createPriceList', { from: 'agents', name: 'mine' }, 'exclusive /name'],
    ['prices', 'createPriceList', {}, 'required /name'],
    ['prices', 'createPriceList', priced({}), 'ok'],
    ['prices', 'createPriceList', priced({ amount: '0.000000000000000000000001' }), 'ok'],
    ['prices', 'createPriceList', priced({ amount: '0.0000000000000000000000001' }), 'scale /prices/0/amount'],
    ['prices', 'createPriceList', priced({ amount: '-1' }), 'negative /prices/0/amount'],
    ['prices', 'createPriceList', priced({ amount: 'free' }), 'amount_format /prices/0/amount'],
    ['prices', 'createPriceList', priced({ per: 0 }), 'too_small /prices/0/per'],
    ['prices', 'createPriceList', priced({ when: { inputTokens: { gt: 272000 } } }), 'ok'],
    ['prices', 'createPriceList', priced({ when: { inputTokens: { above: 1 } } }), 'unknown_field /prices/0/when/inputTokens/above'],
    ['rates', 'setExchangeRate', { from: 'EUR', to: 'USD', rate: '1.08' }, 'ok'],
    ['rates', 'setExchangeRate', { from: 'EUR', to: 'USD', rate: '0' }, 'not_positive /rate'],
    ['rates', 'setExchangeRate', { from: 'EUR', to: 'EUR', rate: '1' }, 'exclusive /to'],
    ['IN-B19', 'setExchangeRate', { from: 'eur', to: 'USD', rate: '1' }, 'currency /from'],
    ['IN-G11', 'reserve', { ...reservation, amount: '0' }, 'not_positive /amount'],
    ['IN-G11', 'reserve', { ...reservation, amount: -1 }, 'negative /amount'],
    ['IN-G12', 'reserve', { ...reservation, ttlSeconds: 0 }, 'too_small /ttlSeconds'],
    ['IN-G12', 'reserve', { ...reservation, ttlSeconds: -1 }, 'too_small /ttlSeconds'],
    ['IN-G12', 'reserve', { ...reservation, ttlSeconds: 315_360_000 }, 'too_large /ttlSeconds'],
    ['IN-G12', 'reserve', { ...reservation, ttlSeconds: '5m' }, 'wrong_type /ttlSeconds'],
    ['reserve', 'reserve', { scopes: ['team:ml'], quantities: { inputTokens: 5 } }, 'ok'],
    ['reserve', 'reserve', { scopes: ['team:ml'] }, 'exclusive /amount'],
    ['IN-B19', 'check', { ...reservation, currency: 'US$' }, 'currency /currency'],
    ['IN-B19', 'check', reservation, 'ok'],
    ['scope', 'createScope', { type: 'team', id: 'ml', parents: ['organization:acme'] }, 'ok'],
    ['scope', 'createScope', { type: 'Team', id: 'ml' }, 'scope_format /type'],
    ['scope', 'createScope', { type: 'team', id: 'a\nb' }, 'scope_format /id'],
    ['scope', 'createScope', { type: 'team', id: 'ml', parents: ['acme'] }, 'scope_format /parents/0'],
    ['IN-G10', 'createScope', { type: 'team', id: 'ml', tenant: 'x' }, 'unknown_field /tenant'],
    ['preview', 'previewPeriods', { period: { kind: 'monthly' }, count: 50, offset: -3 }, 'ok'],
    ['preview', 'previewPeriods', { period: { kind: 'monthly' }, count: 51 }, 'too_large /count'],
    ['preview', 'previewPeriods', { period: { kind: 'monthly' }, offset: 1.5 }, 'not_an_integer /offset'],
    ['override', 'grantOverride', { amount: '5', duration: '7d', reason: 'launch' }, 'ok'],
    ['override', 'grantOverride', { amount: '5', reason: 'launch' }, 'exclusive /duration'],
    ['override', 'grantOverride', { duration: '7d', reason: 'launch' }, 'required /amount'],
    ['void', 'voidUsage', { reason: ' ' }, 'text_format /reason'],
    ['channel', 'createChannel', { type: 'email', name: 'ops', to: ['a@b.example'] }, 'ok'],
    ['channel', 'createChannel', { type: 'webhook', name: 'ops' }, 'exclusive /url'],
  ])('%s of %s %j: %s', (_row, operation, value, expected) => expect(body(operation, value)).toBe(expected));
});

describe('a reason that nobody has to give', () => {
  test.each(['pauseBudget', 'resumeBudget', 'resetBudget', 'acknowledgeAlert', 'resetUserBudget'])(
    'of %s is none where it is blank',
    (operation) => {
      for (const reason of ['', ' ', '\t\n\u00a0']) {
        expect(routeOf(operation).body?.parse({ reason })).toEqual({ reason: undefined });
        expect(routeOf(operation).body?.parse({})).toEqual({});
      }
      expect(routeOf(operation).body?.parse({ reason: ' agreed ' })).toEqual({ reason: ' agreed ' });
      expect(body(operation, { reason: 'x'.repeat(1_001) })).toBe('too_long /reason');
    },
  );
});

const budget = {
  name: 'AI',
  scope: 'team:ml',
  members: ['team:a'],
  filter: { category: 'x', dimensions: { model: 'gpt-*' } },
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'rolling', length: '30d', timezone: 'Europe/Berlin', anchor: '2026-01-01T00:00:00Z', recurring: true },
  thresholds: [
    { percent: 80, severity: 'warning', actions: ['auto-downgrade'], downgrade: { a: 'b' } },
    { amount: '5', severity: 'info' },
  ],
  levels: { yellow: 75 },
  enforcement: { mode: 'block', blockAtPercent: 110 },
  rollover: { mode: 'unused', cap: { amount: '5', currency: 'EUR' } },
  metadata: { a: [1, { b: null }] },
};
const usage = {
  id: 'a',
  source: 'b',
  scopes: ['team:ml', { type: 'user', id: 'x' }],
  cost: { amount: '1' },
  quantities: { inputTokens: 5 },
};
const VALID: readonly (readonly [operation: string, body: unknown])[] = [
  ['createBudget', budget],
  ['patchBudget', budget],
  ['recordUsage', usage],
  ['recordUsage', { events: [usage] }],
  ['recordBudgetUsage', { amount: '1', metadata: { requestId: 'r' } }],
  ['createPriceList', priced({ when: { inputTokens: { gt: 5 } } })],
  ['createScope', { type: 'team', id: 'ml', parents: ['organization:acme'], attributes: { a: 'b' } }],
  ['patchScope', { parents: null, attributes: { a: null } }],
  ['previewPeriods', { period: budget.period, at: '2026-01-01T00:00:00Z' }],
  ['reserve', { ...reservation, category: 'x', dimensions: { model: 'm' } }],
  ['explain', { scopes: ['team:ml'], amount: '1' }],
  ['grantOverride', { amount: { amount: '5' }, expiresAt: '2026-01-01T00:00:00Z', reason: 'x' }],
];

/** The body with the value at a random place replaced, `turn` choosing the way down. */
const mutated = (value: unknown, turns: readonly number[], by: unknown): unknown => {
  const [turn, ...rest] = turns;
  if (turn === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[turn % (keys.length + 1)];
  if (key === undefined) return by;
  const changed = mutated((value as Record<string, unknown>)[key], rest, by);
  return Array.isArray(value) ? value.map((item, index) => (String(index) === key ? changed : item)) : { ...value, [key]: changed };
};

describe('T23: mutants of valid bodies', () => {
  test.each(VALID)('%s %j is valid', (operation, valid) => expect(body(operation, valid)).toBe('ok'));

  const strange = fc.constantFrom(
    '__proto__',
    '',
    'monthly',
    'team:ml',
    -1,
    1e21,
    0.1,
    true,
    null,
    [],
    {},
    [[]],
    { toString: 1 },
    '9'.repeat(200),
    '\u0000',
  );
  test('are read or refused with an error that has a pointer, never thrown at', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...VALID),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
        fc.oneof(strange, fc.jsonValue({ maxDepth: 2 })),
        ([operation, valid], turns, by) => {
          const parsed = parseWith(routeOf(operation).body ?? routeOf(operation).query, mutated(valid, turns, by));
          if (parsed.ok) return;
          refused += 1;
          for (const error of parsed.errors)
            expect(error).toEqual({ pointer: expect.any(String), message: expect.any(String), code: expect.any(String) });
        },
      ),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test('any JSON at all is read or refused by every schema', () => {
    const bodies = ROUTES.flatMap((route) => (route.body === undefined ? [] : [route.body]));
    fc.assert(
      fc.property(fc.jsonValue(), (sent) => {
        for (const schema of bodies) expect(typeof parseWith(schema, sent).ok).toBe('boolean');
      }),
      { numRuns: 50 },
    );
  });
});

describe('the document', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...openApiDocument(ROUTES) });
  const documented = (operation: string, value: unknown): unknown => {
    const { path, method } = routeOf(operation);
    const place = `${path.replaceAll(/:([A-Za-z]+)/g, '{$1}').replaceAll('/', '~1')}/${method.toLowerCase()}`;
    return ajv.validate({ $ref: `api#/paths/${place}/requestBody/content/application~1json/schema` }, value);
  };

  test.each(VALID)('lets %s have %j', (operation, valid) => expect(documented(operation, valid)).toBe(true));

  test.each([
    ['createBudget', { ...budget, limit: '1000' }],
    ['createBudget', { ...budget, colour: 'red' }],
    ['recordUsage', { ...usage, scopes: [] }],
    ['recordUsage', { ...usage, cost: '1' }],
    ['createScope', { type: 'Team', id: 'ml' }],
  ])('refuses %s %j', (operation, invalid) => expect(documented(operation, invalid)).toBe(false));
});

describe('the table', () => {
  test('has each method and path once', () => {
    const places = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:[A-Za-z]+/g, ':')}`);
    expect(new Set(places).size).toBe(places.length);
  });
  test('has a body for no GET or DELETE, and names every parameter of a path', () => {
    for (const { method, path, body: schema, params } of ROUTES) {
      if (method === 'GET' || method === 'DELETE') expect(schema).toBeUndefined();
      const names = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name ?? '');
      const ids = Object.fromEntries(names.map((name) => [name, name === 'type' ? 'team' : 'x']));
      expect(params.parse(ids)).toEqual(ids);
    }
  });
});

describe('headers', () => {
  test.each([
    [undefined, null],
    ['wait=5', 5],
    ['respond-async, wait=60', 10],
    ['return=minimal', null],
    ['wait=soon', null],
  ])('Prefer: %s waits %s s', (header, seconds) => expect(readPreferWait(header)).toBe(seconds));

  test.each([
    ['k'.repeat(255), 'ok'],
    ['k'.repeat(256), 'too_long'],
    ['', 'text_format'],
    ['a\u0001', 'text_format'],
  ])('IN-A23 Idempotency-Key %j: %s', (header, expected) => {
    const key = readIdempotencyKey(header);
    expect(key instanceof Complaint ? key.code : 'ok').toBe(expected);
  });

  test.each([
    [undefined, null],
    ['*', '*'],
    ['"3"', [3]],
    ['"3", "4"', [3, 4]],
    ['W/"3"', []],
    ['3', []],
  ])('If-Match: %s', (header, expected) => expect(readIfMatch(header)).toEqual(expected));
});
