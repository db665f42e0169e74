import type { ScopeRef } from '@bursar/contracts';
import { createDatabase, createPool, type Database, migrate, type Pool } from '@bursar/database';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import type { EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { Holds } from '../src/adapters/sql/holds.js';
import type { Answer } from '../src/features/answer.js';
import { Cursors } from '../src/features/cursors.js';
import { GetBudget } from '../src/features/get-budget.js';
import { GetHierarchy } from '../src/features/get-hierarchy.js';
import { ListBudgets } from '../src/features/list-budgets.js';
import { ListPeriods } from '../src/features/list-periods.js';
import { ListScopes } from '../src/features/list-scopes.js';
import type { Installation } from '../src/installation.js';
import { budgetBody } from './support/make.js';
import { rowsTouched } from './support/rows-touched.js';

/** Both are larger than any answer: what a read costs may differ by nothing but the depth of an index. */
const TENANTS = { some: 3_000, many: 15_000 };
/** Statistics differ, and plans with them. */
const SLACK = 1.2;

const installation: Installation = { partitions: 1 };
const cursors = new Cursors('secret');
/** No read here looks into the ledger. */
const holdsOf = (db: Kysely<Database>) => new Holds(db, {} as EventStore);
let home: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  home = await testDatabase();
  await migrate(home.url);
  pool = createPool(home.url, { name: 'test', max: 2 });
  for (const [tenant, budgets] of Object.entries(TENANTS)) await fill(tenant, budgets);
  await pool.query('ANALYZE');
});

afterAll(async () => {
  await pool?.end();
  await home?.drop();
});

const DEFINITION = JSON.stringify({
  ...budgetBody(),
  period: { kind: 'daily', timezone: 'UTC', recurring: true },
  thresholds: [],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
});

/**
 * Users in teams of 50 below one organisation, as many scopes in one team that nobody registered, and as many that only spent. A budget on
 * each user, every fourth on one team instead; every hundredth is a pool; the oldest are monthly.
 */
const fill = async (tenant: string, budgets: number): Promise<void> => {
  const statements = [
    `INSERT INTO projection.scope (tenant, scope, parents, name, attributes, position)
     SELECT $1::text, 'organization:acme', '{}'::text[], null, '{}'::jsonb, 1
     UNION ALL SELECT $1, 'team:t' || n, ARRAY['organization:acme'], null, '{}', 1 FROM generate_series(0, $2::int / 50) AS n
     UNION ALL SELECT $1, 'user:u' || n, ARRAY['team:t' || n / 50], null, '{}', 1 FROM generate_series(1, $2::int) AS n
     UNION ALL SELECT $1, 'flat:f' || n, ARRAY['team:flat'], null, '{}', 1 FROM generate_series(1, $2::int) AS n`,
    `INSERT INTO projection.scope_edge
     SELECT tenant, unnest(CASE WHEN parents = '{}' THEN ARRAY['tenant:' || tenant] ELSE parents END), scope
     FROM projection.scope WHERE tenant = $1 AND $2 > 0`,
    `INSERT INTO projection.scope_mention
     SELECT tenant, scope, true FROM projection.scope WHERE tenant = $1
     UNION ALL SELECT $1, 'team:flat', false
     UNION ALL SELECT $1, 'wild:w' || n, false FROM generate_series(1, $2::int) AS n`,
    `INSERT INTO projection.scope_spend SELECT tenant, scope, 'USD', 1, 1, 0 FROM projection.scope_mention WHERE tenant = $1 AND $2 > 0`,
    `INSERT INTO projection.budget (tenant, budget_id, scope, name, period_kind, definition, revision, created_position, created_at, updated_at,
       deleted, counted_position)
     SELECT $1, 'b' || n, CASE WHEN n % 4 = 0 THEN 'team:t0' ELSE 'user:u' || n END, 'B' || n,
       CASE WHEN n <= 60 THEN 'monthly' ELSE 'daily' END,
       '${DEFINITION}'::jsonb || CASE WHEN n % 100 = 0 THEN jsonb_build_object('members', jsonb_build_array('user:u' || n / 100)) ELSE '{}' END,
       0, n, now(), now(), false, n
     FROM generate_series(1, $2::int) AS n`,
    `INSERT INTO projection.balance (tenant, budget_id, period_start, period_end, spend, events, failed_spend, failed_events, waiting, position,
       updated_at)
     SELECT tenant, budget_id, day, day + interval '1 day', 1, 1, 0, 0, 0, 1, now()
     FROM projection.budget, date_trunc('day', now(), 'UTC') AS day WHERE tenant = $1 AND $2 > 0`,
  ];
  for (const statement of statements) await pool.query(statement, [tenant, budgets]);
};

const pagesThrough = async (page: (cursor: string | undefined) => Promise<Answer>): Promise<readonly { id: string; name: string }[]> => {
  const all: { id: string; name: string }[] = [];
  for (let cursor: string | undefined; ; ) {
    const { data, nextCursor } = (await page(cursor)).body as { data: { id: string; name: string }[]; nextCursor: string | null };
    all.push(...data);
    if (nextCursor === null) return all;
    cursor = nextCursor;
  }
};

describe('five times as many budgets and scopes', () => {
  const budgets = (db: Kysely<Database>) => new ListBudgets(db, cursors, installation);
  const scopes = (db: Kysely<Database>) => new ListScopes(db, cursors);
  const tree = (db: Kysely<Database>, tenant: string, top: ScopeRef) => new GetHierarchy(db, installation).execute(tenant, top);
  type Read = (db: Kysely<Database>, tenant: string) => Promise<unknown>;
  const READS: readonly (readonly [string, Read])[] = [
    ['the status of a budget', (db, tenant) => new GetBudget(db, installation, cursors, holdsOf(db)).status(tenant, 'b7')],
    ['a budget with its last alerts', (db, tenant) => new GetBudget(db, installation, cursors, holdsOf(db)).whole(tenant, 'b7')],
    ['the periods of a budget', (db, tenant) => new ListPeriods(db, cursors, installation).execute(tenant, 'b7', { limit: 50 })],
    ['a page of budgets', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: {} })],
    [
      'a later page',
      (db, tenant) =>
        budgets(db).execute(tenant, { limit: 50, filter: {}, cursor: cursors.write(tenant, ['budgets', {}, null], [900, 'b900']) }),
    ],
    ['budgets of a scope with many', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: { scope: 'team:t0' } })],
    ['budgets of a scope with few', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: { scope: 'user:u3' } })],
    ['budgets of a type', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: { scopeType: 'user' } })],
    ['budgets of an id', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: { scopeId: 'u3' } })],
    ['the few old budgets of a kind', (db, tenant) => budgets(db).execute(tenant, { limit: 50, filter: { kind: 'monthly' } })],
    ['a page of scopes', (db, tenant) => scopes(db).page(tenant, { limit: 50 }, {})],
    ['scopes of a type', (db, tenant) => scopes(db).page(tenant, { limit: 50 }, { type: 'user' })],
    ['children of a scope', (db, tenant) => scopes(db).page(tenant, { limit: 50 }, { parent: 'team:flat' })],
    ['the tree of a team', (db, tenant) => tree(db, tenant, 'team:t1')],
    ['the tree of a wide scope, cut at 2,000', (db, tenant) => tree(db, tenant, 'team:flat')],
    ['the tree of an organisation, cut at 2,000', (db, tenant) => tree(db, tenant, 'organization:acme')],
    ['the tree of the tenant, cut at 2,000', (db, tenant) => tree(db, tenant, `tenant:${tenant}`)],
  ];

  test.each(READS)('cost %s nothing more', async (_what, read) => {
    const some = await rowsTouched(pool, (db) => read(db, 'some'));
    const many = await rowsTouched(pool, (db) => read(db, 'many'));
    expect(some).toBeGreaterThan(0);
    expect(many).toBeLessThanOrEqual(some * SLACK);
  });

  test('are searched for a text a part at a time, and all of them are found', async () => {
    const db = createDatabase(pool);
    const found = await pagesThrough((cursor) =>
      budgets(db).execute('many', { limit: 50, filter: { text: 'B14' }, ...(cursor && { cursor }) }),
    );
    const expected = Array.from({ length: TENANTS.many }, (_, n) => `b${n + 1}`).filter((id) => id.startsWith('b14'));
    expect(found.map(({ id }) => id).sort()).toEqual(expected.sort());
    const named = await pagesThrough((cursor) =>
      scopes(db).page('many', { limit: 50, ...(cursor && { cursor }) }, { type: 'user', text: 'u777' }),
    );
    expect(named.map(({ id }) => id).sort()).toEqual(['u777', ...Array.from({ length: 10 }, (_, n) => `u777${n}`)].sort());
  });
});
