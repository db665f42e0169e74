import { parseInstant } from '@bursar/contracts';
import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Kysely, sql } from 'kysely';
import { takeTimersOf, walkTenants } from '../src/adapters/sql/due-timers.js';
import { noteTimeZoneData } from '../src/adapters/sql/time-zone-data.js';

const NOON = '2026-11-26T12:00:00Z';
const noon = parseInstant(NOON);
const WALKED = 500;
let database: TestDatabase;
let db: Kysely<Database>;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url);
  db = createDatabase(createPool(database.url, { name: 'test', max: 4 }));
});
beforeEach(() => sql`TRUNCATE scheduler.timer, scheduler.time_zone_data`.execute(db));
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** `count` timers of a tenant in partition 0, all due at the instant. */
const timers = (tenant: string, count: number, dueAt: string, timezone = 'UTC'): Promise<unknown> =>
  sql`INSERT INTO scheduler.timer (tenant, budget_id, partition, rule, due_at)
    SELECT ${tenant}, 'b' || n, 0, jsonb_build_object('period', jsonb_build_object('timezone', ${timezone}::text)), ${dueAt}::timestamptz
    FROM generate_series(1, ${count}::int) AS n`.execute(db);

test('a walk finds whoever has something due, in order, and goes on where it has come to', async () => {
  for (const tenant of ['anna', 'bert', 'carl']) await timers(tenant, 3, '2026-11-26T11:00:00Z');
  await timers('alma', 1, '2026-11-26T13:00:00Z');
  expect(await walkTenants(db, 0, noon, '', 2)).toEqual({ tenants: ['anna', 'bert'], passed: 'bert' });
  expect(await walkTenants(db, 0, noon, 'bert', 2)).toEqual({ tenants: ['carl'], passed: '' });
  expect(await walkTenants(db, 1, noon, '', 2)).toEqual({ tenants: [], passed: '' });
});

test('a walk is bounded where nobody has something due, and comes round', async () => {
  const name = (n: number): string => `t${String(n).padStart(4, '0')}`;
  for (let n = 1; n <= WALKED + 50; n += 1) await timers(name(n), 1, '2026-11-26T13:00:00Z');
  await timers('zoe', 1, NOON);
  expect(await walkTenants(db, 0, noon, '', 2)).toEqual({ tenants: [], passed: name(WALKED) });
  expect(await walkTenants(db, 0, noon, name(WALKED), 2)).toEqual({ tenants: ['zoe'], passed: '' });
});

test('a few of each tenant are taken, however many it has', async () => {
  await timers('anna', 100, '2026-11-26T11:00:00Z');
  await timers('bert', 1, NOON);
  const taken = await takeTimersOf(db, 0, noon, 250, { tenants: ['anna', 'bert'], each: 10 });
  expect(Map.groupBy(taken, ({ timer }) => timer.tenant).get('anna')).toHaveLength(10);
  expect(taken.at(-1)?.timer).toMatchObject({ tenant: 'bert', budgetId: 'b1' });
});

test('F32: other time zone data are noted, and every timer of a zone with rules is looked at again', async () => {
  const far = '9999-01-01T00:00:00Z';
  await timers('berlin', 1, far, 'Europe/Berlin');
  await timers('utc', 1, far);
  const dueSoon = async (): Promise<readonly string[]> =>
    (await db.selectFrom('scheduler.timer').select('tenant').where('due_at', '<', far).execute()).map(({ tenant }) => tenant);

  expect(await noteTimeZoneData(db, '2025a', 1)).toEqual({ before: null });
  expect(await noteTimeZoneData(db, '2025a', 1)).toEqual({ before: null });
  expect(await dueSoon()).toEqual([]);
  expect(await noteTimeZoneData(db, '2025b', 1)).toEqual({ before: '2025a' });
  expect(await dueSoon()).toEqual(['berlin']);
  const noted = await db.selectFrom('scheduler.time_zone_data').select('version').orderBy('since').execute();
  expect(noted.map(({ version }) => version)).toEqual(['2025a', '2025b']);
});
