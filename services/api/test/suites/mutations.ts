import { ROUTES, type Route } from '@bursar/contracts/http';
import { createPool } from '@bursar/database';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Reply } from '../support/client.js';
import { budgetBody, freshTenant, makeBudget } from '../support/make.js';

/** What a client, or somebody who means harm, might put where something else belongs. */
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'x',
  '\u0000',
  '\ud800',
  '😀'.repeat(2_000),
  'a'.repeat(70_000),
  [],
  [[]],
  {},
  { a: {} },
  '-0',
  '1e400',
  '9'.repeat(1_000),
  '2026-02-30T00:00:00Z',
  '__proto__',
];

/** All that the ledger and the tables have of a tenant. */
const TALLY = `
  SELECT (SELECT count(*) FROM store.events WHERE meta::jsonb ->> 'tenant' = $1)::int AS events,
    (SELECT count(*) FROM projection.budget WHERE tenant = $1)::int AS budgets,
    (SELECT count(*) FROM projection.scope_mention WHERE tenant = $1)::int AS scopes,
    (SELECT count(*) FROM projection.hold_group WHERE tenant = $1)::int AS holds,
    (SELECT sum(spend) FROM projection.balance WHERE tenant = $1)::text AS spend,
    (SELECT sum(reserved) FROM projection.reserved WHERE tenant = $1)::text AS reserved`;

/** Valid bodies by operation; others get an object of nothing known. */
const VALID: Readonly<Record<string, object>> = {
  createBudget: budgetBody({
    description: 'd',
    members: ['user:a'],
    filter: { category: 'c', dimensions: { model: 'gpt-*' } },
    thresholds: [
      { percent: 80, severity: 'warning', actions: ['restrict-models'], allowedModels: ['m'] },
      { amount: '5', severity: 'info' },
    ],
    levels: { yellow: 1, orange: 2, red: 3 },
    enforcement: { mode: 'notify', blockAtPercent: 110, autoPause: true },
    rollover: { mode: 'unused', cap: '5' },
    permissions: { userCanModifyLimit: true },
    validFrom: '2026-01-01T00:00:00Z',
    validUntil: '2027-01-01T00:00:00Z',
    metadata: { a: { b: [1] } },
  }),
  pauseBudget: { reason: 'r' },
  resumeBudget: { reason: 'r' },
  grantOverride: { amount: { amount: '1', currency: 'USD' }, enforcement: 'off', duration: '1h', reason: 'r' },
  createScope: { type: 'team', id: 'ml', parents: ['org:o'], name: 'n', attributes: { a: 'b' } },
  patchScope: { parents: ['org:o'], name: 'n', attributes: { a: 'b' } },
  createPriceList: {
    name: 'n',
    currency: 'USD',
    effectiveFrom: '2026-01-01T00:00:00Z',
    prices: [{ meter: 'm', match: { a: 'b' }, unit: 'u', amount: '1', per: 1, when: { u: { gt: 1 } } }],
  },
  setExchangeRate: { from: 'EUR', to: 'USD', rate: '1', effectiveFrom: '2026-01-01T00:00:00Z' },
  previewPeriods: {
    period: { kind: 'rolling', length: '30d', timezone: 'UTC', anchor: '2026-01-01T00:00:00Z', recurring: true },
    at: '2026-01-01T00:00:00Z',
    offset: 1,
    count: 2,
  },
  recordBudgetUsage: { amount: '1', currency: 'USD', source: 's', description: 'd', metadata: { requestId: 'r', modelId: 'm' } },
  bulkBudgets: { budgets: [{ budget: budgetBody() }] },
  putTenantSettings: {
    profile: 'tenant',
    adminContact: 'a@b.example',
    defaultChannels: ['email'],
    userDefaults: { limit: '1', adminLimit: '2', budgetVisibleToUser: true },
    unpricedPolicy: 'fallback_price',
    fallbackPrice: { amount: '1', currency: 'USD', per: 1, unit: '*' },
    alertWindow: '1h',
    lateWindow: '1d',
    allocation: [{ scope: 'team:a', percent: 100 }],
    tenantAdminMayOverride: true,
    currency: 'USD',
    litellm: { proxyUrl: 'https://x.example', masterKey: 'k', keys: ['k'], webhookSecret: 's', webhookToken: 't' },
  },
  setTenantBudget: { maxBudget: '1', alertThreshold: 80, graceThreshold: 110, budgetDuration: '30d' },
  grantTenantOverride: { overrideAmount: '1', duration: '1h', reason: 'r' },
  putNotificationTemplate: { subject: '{{budget}}', text: '{{spend}}', html: '<p>{{spend}}</p>' },
  createTemplate: { name: 'n', budget: { limit: { amount: '1', currency: 'USD' }, levels: { yellow: 1 } } },
  recordUsage: {
    id: '1',
    source: 's',
    scopes: ['team:ml'],
    cost: { amount: '1', currency: 'USD' },
    quantities: { requests: '1' },
    dimensions: { a: 'b' },
  },
  voidUsage: { reason: 'r' },
  adjustUsage: { cost: { amount: '1', currency: 'USD' }, reason: 'r' },
  correctPriceList: {
    dryRun: true,
    prices: [{ meter: 'm', match: { a: 'b' }, unit: 'u', amount: '1', per: 1, when: { u: { gt: 1 } } }],
  },
  resetBudget: { reason: 'r', newLimit: '5' },
  check: { scopes: ['team:ml'], amount: '1', currency: 'USD', category: 'c', dimensions: { a: 'b' } },
  checkConstraints: { amount: '1', currency: 'USD', dimensions: { a: 'b' } },
  reserve: { id: 'r', scopes: ['team:ml'], amount: '1', currency: 'USD', category: 'c', ttlSeconds: 5, dimensions: { a: 'b' } },
  explain: { scopes: ['team:ml'], amount: '1' },
  createChannel: { type: 'file', name: 'n', url: 'n.ndjson', events: ['threshold.crossed'], minSeverity: 'warning', rateLimit: '1h' },
};
const ALIKE: Readonly<Record<string, string>> = {
  replaceBudget: 'createBudget',
  patchBudget: 'createBudget',
  patchChannel: 'createChannel',
  setTenantBudgetUnprefixed: 'setTenantBudget',
  grantTenantOverrideUnprefixed: 'grantTenantOverride',
};

/** The body with one value replaced, at every place and by every odd value; and with one key too many. */
const mutants = (value: unknown): unknown[] => {
  const odd = [...ODD];
  if (Array.isArray(value)) return [...odd, ...value.flatMap((item, index) => mutants(item).map((other) => value.with(index, other)))];
  if (typeof value !== 'object' || value === null) return odd;
  const entries = Object.entries(value);
  return [
    ...odd,
    { ...value, unheardOf: 1 },
    ...entries.flatMap(([key, item]) => mutants(item).map((other) => ({ ...value, [key]: other }))),
  ];
};

/** A fixed pseudo-random choice, so that a failure repeats. */
const sample = <T>(items: readonly T[], count: number): T[] => {
  let state = 0x2545f491;
  return Array.from({ length: Math.min(count, items.length) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return items[state % items.length] as T;
  });
};

/** Of what was refused, so many of each route are sent again to see that they change nothing. */
const SENT_AGAIN = 10;

export const mutations = (api: () => Client, databaseUrl: () => string): void => {
  let acme: Client;
  let budgetId: string;
  /** A reservation that is refused for want of room is a fact of its own, so 402 is none of these. */
  const refused: (readonly [Route, unknown])[] = [];
  beforeAll(async () => {
    acme = api().as(freshTenant());
    budgetId = (await makeBudget(acme)).id;
  });
  const address = ({ path, operationId }: Route): string =>
    path.replace(/:([A-Za-z]+)/g, (_, name: string) =>
      name === 'tenantId' ? acme.tenant : name === 'id' && operationId.includes('Budget') ? budgetId : 'team',
    );
  /** A refusal is a problem document that quotes nothing long and shows no stack; nothing is ever our fault. */
  const expectFair = (reply: Reply, sent: unknown): void => {
    const fair = reply.status < 500 || reply.status === 501 || reply.status === 503;
    if (!fair) throw new Error(`${reply.status} for ${JSON.stringify(sent).slice(0, 300)}: ${reply.text}`);
    if (reply.status < 400) return;
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    expect(reply.body).toMatchObject({ status: reply.status, code: expect.stringMatching(/^[a-z_]+$/) });
    expect(reply.text).not.toMatch(/node_modules|\bat .*\.js:\d+|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/);
  };

  describe('mutated bodies are never our fault', () => {
    const writes = ROUTES.filter(({ method }) => method !== 'GET' && method !== 'DELETE');
    test.each(writes.map((route) => [`${route.method} ${route.path}`, route] as const))(
      '%s',
      async (_name, route) => {
        const valid = VALID[ALIKE[route.operationId] ?? route.operationId];
        // Every place of the bodies we know, a sample of the odd values at each; a few for routes not built.
        const bodies = valid === undefined ? sample(mutants({ reason: 'x' }), 12) : sample(mutants(valid), 60);
        const replies = await Promise.all(bodies.map((body) => acme.send(route.method, address(route), body)));
        for (const [index, reply] of replies.entries()) expectFair(reply, bodies[index]);
        const bad = bodies.filter((_, index) => [400, 413, 415, 422].includes(replies[index]?.status ?? 0));
        refused.push(...bad.slice(0, SENT_AGAIN).map((body) => [route, body] as const));
      },
      30_000,
    );

    test('what is refused is refused again, and nothing of the tenant has changed', async () => {
      expect(refused.length).toBeGreaterThan(200);
      const pool = createPool(databaseUrl(), { name: 'test', max: 1 });
      try {
        const tally = async (): Promise<unknown> => {
          const { rows } = await pool.query(TALLY, [acme.tenant]);
          return rows;
        };
        // What was accepted before has consequences of its own for a moment: thresholds, alerts, deliveries.
        let before = await tally();
        for (let quiet = 0; quiet < 10; ) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          const now = await tally();
          quiet = JSON.stringify(now) === JSON.stringify(before) ? quiet + 1 : 0;
          before = now;
        }
        for (const [route, body] of refused) {
          const { status } = await acme.send(route.method, address(route), body);
          expect([route.operationId, status >= 400 && status < 500]).toEqual([route.operationId, true]);
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(await tally()).toEqual(before);
      } finally {
        await pool.end();
      }
    });
  });

  describe('mutated queries are never our fault', () => {
    test.each(ROUTES.filter(({ method }) => method === 'GET').map((route) => [route.path, route] as const))(
      'GET %s',
      async (_name, route) => {
        const values = [
          '',
          '-1',
          '1e9',
          'x',
          '%00',
          '%F0%9F%98%80',
          "'; drop table x",
          '99999999999999999999',
          '2026-13-01T00:00:00Z',
          'a'.repeat(3_000),
          '[]',
          '0:0',
        ];
        const names = [
          'limit',
          'cursor',
          'minPosition',
          'asOf',
          'q',
          'status',
          'scopeId',
          'from',
          'timezone',
          'by',
          'granularity',
          'order',
          '__proto__',
        ];
        const queries = sample(
          names.flatMap((name) => values.map((value) => `${name}=${value}`)),
          25,
        );
        const replies = await Promise.all(queries.map((query) => acme.get(`${address(route)}?${query}`)));
        for (const [index, reply] of replies.entries()) expectFair(reply, queries[index]);
      },
    );
  });
};
