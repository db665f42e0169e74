import { canonicalJson, contentHash, derivedId, type HoldsGranted, type HoldTerms, holdsStream } from '@bursar/contracts';
import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { testDatabase } from '@bursar/embedded';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Kysely, sql } from 'kysely';
import { grantedIn } from '../src/granted-in.js';
import { type HoldGroup, Reservations, type StoredReservation } from '../src/reservations.js';

let home: Awaited<ReturnType<typeof testDatabase>>;
let store: EventStore;
let db: Kysely<Database>;
let reservations: Reservations;

beforeAll(async () => {
  home = await testDatabase();
  await migrate(home.url);
  store = await createEventStore(home.url, { partitions: 1 });
  db = createDatabase(createPool(home.url, { name: 'test', max: 1 }));
  reservations = new Reservations(store);
});

afterAll(async () => {
  await store?.close();
  await db?.destroy();
  await home?.drop();
});

const terms = (amount: string): HoldTerms => ({
  bodyHash: '00',
  path: [],
  amount,
  currency: 'USD',
  grantedAt: '2026-11-01T00:00:00Z',
  expiresAt: '2026-11-01T01:00:00Z',
  decidedAt: 1,
  budgets: [{ budgetId: 'b', periodStart: '2026-11-01T00:00:00Z', amount }],
  tightest: 'b',
});

const grant = (tenant: string, ids: readonly string[], amount = '1'): HoldsGranted => ({
  change: 'granted',
  tenant,
  terms: terms(amount),
  reservationIds: [...ids],
  remaining: '7',
});

/** Answers its position. */
const append = async (version: number, data: object): Promise<number> => {
  const event = {
    id: derivedId('test', canonicalJson(data)),
    type: 'HoldsChanged',
    version,
    data: canonicalJson(data),
    meta: '{"tenant":""}',
  };
  const events = [{ ...event, contentHash: contentHash(data) }];
  const result = await store.append({ partition: 0, stream: holdsStream(0), events, expectedRevision: 'any' });
  return result.ok ? (result.outcomes[0]?.position ?? 0) : 0;
};

/** In one event, with the groups that the fold makes of it. Answers its position. */
const granted = async (...changes: readonly HoldsGranted[]): Promise<number> => {
  const since = await append(3, { partition: 0, changes });
  for (const tenant of new Set(changes.map((change) => change.tenant))) {
    const held = changes.filter((change) => change.tenant === tenant).reduce((sum, change) => sum + change.reservationIds.length, 0);
    await sql`INSERT INTO projection.hold_group (tenant, since, partition, budget_ids, held, position)
      VALUES (${tenant}, ${since}, 0, '{b}', ${held}, ${since})`.execute(db);
  }
  return since;
};

const became = async (tenant: string, id: string, since: number, status: string): Promise<void> => {
  await sql`INSERT INTO projection.hold (tenant, reservation_id, status, since, flags, position)
    VALUES (${tenant}, ${id}, ${status}, ${since}, '{}', ${since + 1})`.execute(db);
};

const shown = ({ reservation_id, status, since, granted: what }: StoredReservation) => [
  reservation_id,
  status,
  since,
  what?.terms.amount ?? null,
  what?.reservation.remaining ?? null,
];
const inGroups = async (groups: readonly HoldGroup[]) => {
  const all: StoredReservation[] = [];
  for await (const some of reservations.inGroups(db, groups)) all.push(...some);
  return all.map(shown);
};

test('a group says of each of its reservations what the ledger granted and what its row says became of it', async () => {
  const since = await granted(grant('acme', ['a', 'b', 'c']), grant('other', ['a'], '5'), grant('acme', ['d'], '2'));
  await became('acme', 'b', since, 'settled');
  await became('acme', 'c', since + 100, 'held'); // claimed by what was granted elsewhere
  expect(await inGroups([{ tenant: 'acme', since }])).toEqual([
    ['a', 'held', since, '1', '7'],
    ['b', 'settled', since, '1', '6'],
    ['d', 'held', since, '2', '7'],
  ]);
  expect(await inGroups([{ tenant: 'other', since }])).toEqual([['a', 'held', since, '5', '7']]);
  expect(await inGroups([{ tenant: 'nobody', since }])).toEqual([]);
});

test('what an event grants twice it grants once, and what cannot be read grants nothing', async () => {
  const broken = { ...grant('twice', ['x', 'y']), terms: { ...terms('1'), expiresAt: 'never' } };
  const vague = { ...grant('twice', ['z']), remaining: 'some' };
  const { reservationIds: _, ...nameless } = grant('else', ['n']);
  const since = await granted(broken, vague, grant('twice', ['x', 'x'], '3'), grant('twice', ['x'], '4'));
  expect(await inGroups([{ tenant: 'twice', since }])).toEqual([['x', 'held', since, '3', '7']]);
  const event = { type: 'HoldsChanged', version: 3, data: canonicalJson({ partition: 0, changes: [nameless, grant('twice', ['y'])] }) };
  expect([...grantedIn(event)].map(([tenant, grants]) => [tenant, [...grants.keys()]])).toEqual([['twice', ['y']]]);
});

test('an event of an older release, which says of each reservation what was left, grants the same', async () => {
  const left = [
    { id: 'w1', remaining: '3' },
    { id: 'w2', remaining: '2' },
    { id: 'w3', remaining: '9' },
  ];
  const since = await append(2, { partition: 0, changes: [{ change: 'granted', tenant: 'older', terms: terms('1'), reservations: left }] });
  expect(await inGroups([{ tenant: 'older', since }])).toEqual(left.map(({ id, remaining }) => [id, 'held', since, '1', remaining]));
});

test('an event of the first release, which says the terms of each reservation anew, grants the same', async () => {
  const { tightest: _, ...said } = terms('6');
  const old = (id: string) => ({
    change: 'granted',
    tenant: 'old',
    reservationId: id,
    ...said,
    tightest: { budgetId: 'b', remaining: '3', graceRemaining: '4' },
  });
  const since = await append(1, { partition: 0, changes: [old('v1'), old('v2')] });
  expect(await inGroups([{ tenant: 'old', since }])).toEqual([
    ['v1', 'held', since, '6', '3'],
    ['v2', 'held', since, '6', '3'],
  ]);
});

test('by id: of a row, of what is held without one, and of usage that only named it', async () => {
  const first = await granted(grant('ids', ['one "\\% é', 'two']));
  await granted(grant('ids', ['three']), grant('else', ['four']));
  await became('ids', 'two', first, 'expired');
  await became('ids', 'usage', 99_999, 'unknown');
  const found = await reservations.named(db, 'ids', ['one "\\% é', 'two', 'usage', 'four', 'none']);
  expect(found.map(shown).sort()).toEqual([
    ['one "\\% é', 'held', first, '1', '7'],
    ['two', 'expired', first, '1', '6'],
    ['usage', 'unknown', 99_999, null, null],
  ]);
  const rows = await reservations.under(db, [
    { tenant: 'ids', reservationId: 'two' },
    { tenant: 'ids', reservationId: 'three' },
    { tenant: 'else', reservationId: 'two' },
  ]);
  expect(rows.map(shown)).toEqual([['two', 'expired', first, '1', '6']]);
});

test('more groups than are read at once are read in their order', async () => {
  const groups: HoldGroup[] = [];
  for (let n = 0; n < 230; n += 1) groups.push({ tenant: 'many', since: await granted(grant('many', [`m${n}`])) });
  groups.reverse();
  expect((await inGroups(groups)).map(([id]) => id)).toEqual(Array.from({ length: 230 }, (_, n) => `m${229 - n}`));
  expect((await reservations.named(db, 'many', ['m0', 'm229', 'm230'])).map(({ reservation_id }) => reservation_id)).toEqual([
    'm0',
    'm229',
  ]);
});

test('events that are too large to be read at once are read one after another', async () => {
  const ids = (of: string) => Array.from({ length: 60_000 }, (_, n) => `${of}${n}`);
  const [first, second] = [await granted(grant('large', ids('a'))), await granted(grant('large', ids('b')))];
  const all = await inGroups([
    { tenant: 'large', since: second },
    { tenant: 'large', since: first },
  ]);
  expect(all).toHaveLength(120_000);
  expect([all[0]?.[0], all.at(-1)?.[0]]).toEqual(['b0', 'a59999']);
});

test('what became of some is read without all that ever ended', async () => {
  await sql`
    INSERT INTO projection.hold (tenant, reservation_id, status, since, flags, position)
    SELECT 'ended', 'e' || n, 'released', n, '{}', n FROM generate_series(1, 20000) AS n`.execute(db);
  await sql.raw('ANALYZE projection.hold').execute(db);
  const scans = async (): Promise<number> => {
    await sql`SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()`.execute(db);
    const { rows } = await sql<{ read: number }>`SELECT seq_tup_read::int AS read FROM pg_stat_user_tables WHERE relname = 'hold'`.execute(
      db,
    );
    return rows[0]?.read ?? 0;
  };
  const since = await granted(
    grant(
      'ended',
      Array.from({ length: 500 }, (_, n) => `f${n}`),
    ),
  );
  const before = await scans();
  expect(await inGroups([{ tenant: 'ended', since }])).toHaveLength(500);
  expect((await scans()) - before).toBeLessThan(20_000);
});
