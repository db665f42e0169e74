import { testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Kysely, sql } from 'kysely';
import { column, createDatabase, createPool, type Database, DatabaseUnreachableError, MIGRATIONS, migrate } from '../src/index.js';

let home: Awaited<ReturnType<typeof testDatabase>>;
let db: Kysely<Database>;
let firstRuns: readonly (readonly string[])[];

beforeAll(async () => {
  home = await testDatabase();
  firstRuns = await Promise.all([migrate(home.url), migrate(home.url), migrate(home.url), migrate(home.url)]);
  db = createDatabase(createPool(home.url, { name: 'test', max: 2 }));
});

afterAll(async () => {
  await db?.destroy();
  await home?.drop();
});

describe('migrate', () => {
  test('four services starting at once run each migration once', () => {
    expect(firstRuns.flat()).toEqual(MIGRATIONS.map(({ name }) => name));
  });

  test('a later start finds nothing to do', async () => {
    expect(await migrate(home.url)).toEqual([]);
  });

  test('gives up within its time when no server answers', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none', { waitMs: 300 })).rejects.toBeInstanceOf(DatabaseUnreachableError);
  });
});

test('a column of rows reaches the server value for value', async () => {
  const texts = ['plain', '', 'NULL', 'null', null, '"', '\\\\', '{a,b}', 'a,b', ' ', 'é😀', 'line\nline'];
  texts.push('{"a":"b\\\\\\"c"}', '"line\nline"', '"\t\\\u0001\u007f"', '"é\u2028"', '"😀\\"');
  const read = async (values: readonly unknown[], type: string): Promise<unknown> => {
    const { rows } = await sql<{ value: unknown }>`SELECT * FROM unnest(${column(values, type, (value) => value)}) AS u (value)`.execute(
      db,
    );
    return rows.map(({ value }) => value);
  };
  expect(await read(texts, 'text')).toEqual(texts);
  expect(await read([1, null, -2], 'int')).toEqual([1, null, -2]);
  expect(await read([10n ** 15n], 'bigint')).toEqual([1e15]);
  expect(await read([true, false, undefined], 'boolean')).toEqual([true, false, null]);
  expect(await read([], 'text')).toEqual([]);
  expect(await read([Buffer.from([0, 92, 34])], 'bytea')).toEqual([Buffer.from([0, 92, 34])]);
});

describe('the tables', () => {
  test('every typed table exists with exactly the columns a row needs', async () => {
    const instant = '2025-01-15T10:00:00.123456Z';
    await db
      .insertInto('projection.balance')
      .values({
        tenant: 'acme',
        budget_id: 'b1',
        period_start: instant,
        period_end: null,
        spend: '12345678901234567890123456.000000000001',
        events: 3,
        failed_spend: '0',
        failed_events: 0,
        waiting: 0,
        last_usage_at: instant,
        position: 9_007_199_254_740_991,
        updated_at: instant,
      })
      .execute();
    const row = await db.selectFrom('projection.balance').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      period_start: instant,
      period_end: null,
      spend: '12345678901234567890123456.000000000001',
      events: 3,
      position: 9_007_199_254_740_991,
    });
  });

  test('json goes in as text and comes out parsed', async () => {
    await db
      .insertInto('projection.scope')
      .values({ tenant: 'acme', scope: 'team:a', parents: ['org:x'], name: null, attributes: JSON.stringify({ a: 'ü' }), position: 1 })
      .execute();
    const row = await db.selectFrom('projection.scope').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ parents: ['org:x'], attributes: { a: 'ü' } });
  });
});

test('crossings written before they had causes of their own keep their order', async () => {
  const earlier = await testDatabase();
  const old = createDatabase(createPool(earlier.url, { name: 'earlier', max: 1 }));
  try {
    const first = MIGRATIONS.slice(0, 2);
    await sql`CREATE SCHEMA bursar; CREATE TABLE bursar.migration (name text PRIMARY KEY)`.execute(old);
    for (const { name, up } of first) {
      await up(old as unknown as Kysely<unknown>);
      await sql`INSERT INTO bursar.migration (name) VALUES (${name})`.execute(old);
    }
    await sql`
      INSERT INTO projection.crossing (tenant, alert_id, budget_id, period_start, threshold, episode, data, position, crossed_at)
      SELECT 'acme', gen_random_uuid(), 'b', now(), threshold, 1, jsonb_build_object('causePosition', cause), position, now()
      FROM (VALUES ('80%', 4, 7), ('50%', 4, 6), ('100%', 9, 12)) AS each (threshold, cause, position)`.execute(old);
    expect(await migrate(earlier.url)).toEqual(MIGRATIONS.slice(2).map(({ name }) => name));
    const rows = await old
      .selectFrom('projection.crossing')
      .select(['threshold', 'cause_position', 'cause_index'])
      .orderBy('cause_position')
      .orderBy('cause_index')
      .execute();
    expect(rows.map((row) => [row.threshold, row.cause_position, row.cause_index])).toEqual([
      ['50%', 4, 0],
      ['80%', 4, 1],
      ['100%', 9, 0],
    ]);
  } finally {
    await old.destroy();
    await earlier.drop();
  }
});

test('reservations that had a row each with all that was granted are in groups, whatever became of them', async () => {
  const earlier = await testDatabase();
  const old = createDatabase(createPool(earlier.url, { name: 'earlier', max: 1 }));
  try {
    const before = MIGRATIONS.findIndex(({ name }) => name === '0031_hold_groups');
    await sql`CREATE SCHEMA bursar; CREATE TABLE bursar.migration (name text PRIMARY KEY)`.execute(old);
    for (const { name, up } of MIGRATIONS.slice(0, before)) {
      await up(old as unknown as Kysely<unknown>);
      await sql`INSERT INTO bursar.migration (name) VALUES (${name})`.execute(old);
    }
    await sql`
      INSERT INTO projection.hold (tenant, reservation_id, partition, status, "grant", budget_ids, since, flags, position)
      SELECT tenant, id, 3, status, CASE WHEN status <> 'unknown' THEN json_build_object('change', 'granted', 'tenant', tenant, 'reservationId', id, 'amount', '1',
          'tightest', tightest::json)::text END, budgets::text[], since, '{}', position
      FROM (VALUES ('acme', 'a', 'held', '{one,two}', 7, 7, '{"budgetId":"two","remaining":"5","graceRemaining":"7"}'),
        ('acme', 'b', 'settled', '{two}', 7, 12, '{"budgetId":"two","remaining":null,"graceRemaining":null}'),
        ('acme', 'c', 'released', '{}', 8, 9, NULL), ('acme', 'd', 'unknown', '{}', 10, 10, NULL),
        ('other', 'a', 'held', '{one}', 7, 7, NULL)) AS each (tenant, id, status, budgets, since, position, tightest)`.execute(old);
    await migrate(earlier.url);
    const groups = await old.selectFrom('projection.hold_group').selectAll().orderBy('tenant').orderBy('since').execute();
    expect(groups.map(({ budget_ids, ...group }) => ({ ...group, budget_ids: budget_ids.sort() }))).toEqual([
      { tenant: 'acme', since: 7, partition: 3, budget_ids: ['one', 'two'], held: 1, position: 12 },
      { tenant: 'acme', since: 8, partition: 3, budget_ids: [], held: 0, position: 9 },
      { tenant: 'other', since: 7, partition: 3, budget_ids: ['one'], held: 1, position: 7 },
    ]);
  } finally {
    await old.destroy();
    await earlier.drop();
  }
});

test('a connection that breaks between two statements of a transaction ends neither the process nor the pool', async () => {
  const told: Error[] = [];
  const other = createDatabase(createPool(home.url, { name: 'doomed', max: 2, onError: (error) => told.push(error) }));
  try {
    const broken = other.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(trx);
      await sql`SELECT pg_terminate_backend(${rows[0]?.pid})`.execute(db);
      while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await sql`SELECT 1`.execute(trx);
    });
    await expect(broken).rejects.toThrow();
    expect((await sql`SELECT 1`.execute(other)).rows).toHaveLength(1);
  } finally {
    await other.destroy();
  }
});
