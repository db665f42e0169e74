import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Kysely, sql } from 'kysely';
import { CheckpointLostError, Checkpoints } from '../src/checkpoint.js';
import { type Lease, LeaseLostError } from '../src/lease.js';
import { SqlLeases } from '../src/sql-leases.js';

const PARTITIONS = 6;
const TTL_MS = 60_000;

let at: TestDatabase;
let db: Kysely<Database>;
const opened: SqlLeases[] = [];
/** The replica's own monotonic clock. */
let now = 0;
beforeAll(async () => {
  at = await testDatabase();
  await migrate(at.url);
  db = createDatabase(createPool(at.url, { name: 'test', max: 4 }));
});
afterAll(async () => {
  await Promise.all(opened.map((leases) => leases.close()));
  await db.destroy();
  await at.drop();
});
beforeEach(async () => {
  await sql`TRUNCATE projection.lease, projection.replica, projection.checkpoint, projection.scope`.execute(db);
});

const replica = (consumer = 'budget', ownUrl: () => string | null = () => null): SqlLeases => {
  const leases = new SqlLeases({ url: at.url, consumer, partitions: PARTITIONS, ttlMs: TTL_MS, now: () => now, ownUrl });
  opened.push(leases);
  return leases;
};

/** As if so much time of the database had passed. */
const pass = async (ms: number): Promise<void> => {
  await sql`UPDATE projection.lease SET expires_at = expires_at - ${ms}::int * interval '1 ms'`.execute(db);
  await sql`UPDATE projection.replica SET expires_at = expires_at - ${ms}::int * interval '1 ms'`.execute(db);
};

const partitionsOf = (leases: readonly Lease[]): readonly number[] => leases.map(({ partition }) => partition).sort((a, b) => a - b);

describe('leases in PostgreSQL', () => {
  test('what many take at once, each gets alone; who comes off badly finds the rest at its next look', async () => {
    const all = Array.from({ length: 5 }, () => replica());
    const taken: Lease[] = [];
    for (let look = 0; look < 10 && taken.length < PARTITIONS; look += 1) {
      const each = await Promise.all(all.map((leases) => leases.acquire(3, [])));
      expect(each.every((leases) => leases.length <= 3)).toBe(true);
      taken.push(...each.flat());
    }
    expect(partitionsOf(taken)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('says who lives, what each has and what is free', async () => {
    const [one, two] = [replica(), replica()];
    const held = await one.acquire(4, [1]);
    expect(partitionsOf(held)).toEqual([0, 2, 3, 4]);
    await one.renew(held);
    const view = await two.renew([]);
    expect([...view.replicas].sort(([, a], [, b]) => a - b)).toEqual([
      [two.replica, 0],
      [one.replica, 4],
    ]);
    expect([view.free, view.kept.size]).toEqual([2, 0]);
  });

  test('who is not heard of for the time of a lease loses it to whoever comes, and is told when it renews', async () => {
    const [one, two] = [replica(), replica()];
    const held = await one.acquire(6, []);
    await one.renew(held);
    await pass(TTL_MS - 5_000);
    expect(await two.acquire(6, [])).toEqual([]);
    await pass(5_001);
    expect((await two.renew([])).replicas.has(one.replica)).toBe(false);
    const [taken] = await two.acquire(1, [0, 1, 2]);
    expect(taken?.key).toEqual({ partition: 3, owner: two.replica, epoch: 2 });
    const view = await one.renew(held);
    expect([...view.kept].sort()).toEqual([0, 1, 2, 4, 5]); // nobody took those: they are its own again
    expect(await two.acquire(6, [])).toEqual([]);
  });

  test('what is given up is free at once, but not by whom it no longer belongs to', async () => {
    const [one, two, three] = [replica(), replica(), replica()];
    const [old] = await one.acquire(1, []);
    await pass(TTL_MS);
    const [current] = await two.acquire(1, []);
    if (old === undefined || current === undefined) throw new Error('nothing was taken');
    await one.release(old);
    expect(partitionsOf(await three.acquire(1, [1, 2, 3, 4, 5]))).toEqual([]);
    await two.release(current);
    expect((await three.acquire(1, [1, 2, 3, 4, 5])).map(({ key }) => key.epoch)).toEqual([3]);
  });

  test('a lease is live for a little less than the database grants, from before it was asked for', async () => {
    const one = replica();
    now = 1_000;
    const asked = one.acquire(1, []);
    now = 30_000; // the answer takes this long
    const [lease] = await asked;
    now = 1_000 + 0.98 * TTL_MS;
    expect(lease?.isLive()).toBe(true);
    now = 1_000 + 0.995 * TTL_MS;
    expect(lease?.isLive()).toBe(false);
    const view = await one.renew(lease === undefined ? [] : [lease]);
    expect(view.liveUntil).toBeCloseTo(now + 0.99 * TTL_MS);
  });

  test('says where the owner of a partition listens, while it has it and does, on a connection that no renewal waits for', async () => {
    let url: string | null = null;
    const [one, two] = [replica('budget', () => url), replica()];
    const held = await one.acquire(1, []);
    await one.renew(held);
    expect(await two.urlOfOwner(0)).toBeNull();
    url = 'http://one';
    await one.renew(held);
    expect([await two.urlOfOwner(0), await two.urlOfOwner(1)]).toEqual(['http://one', null]);
    await pass(TTL_MS);
    expect(await two.urlOfOwner(0)).toBeNull();
    const { rows } = await sql<{ name: string }>`
      SELECT DISTINCT application_name AS name FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'budget-%' ORDER BY name`.execute(db);
    expect(rows).toEqual([{ name: 'budget-leases' }, { name: 'budget-owners' }]);
  });

  test('who leaves is counted no more; the tables may be emptied under everyone', async () => {
    const [one, two] = [replica(), replica()];
    const held = await one.acquire(2, []);
    await one.renew(held);
    await two.renew([]);
    await two.leave();
    expect([...(await one.renew(held)).replicas.keys()]).toEqual([one.replica]);
    await sql`TRUNCATE projection.lease, projection.replica`.execute(db);
    const view = await one.renew(held);
    expect([view.kept.size, view.free]).toEqual([0, 6]);
    expect(partitionsOf(await one.acquire(6, []))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('each consumer shares the partitions among its own replicas', async () => {
    const [budget, alerts, other] = [replica(), replica('alerts'), replica('alerts')];
    const held = await budget.acquire(6, []);
    await budget.renew(held);
    const alerting = await alerts.acquire(4, []);
    expect(partitionsOf(alerting)).toEqual([0, 1, 2, 3]);
    expect((await alerts.renew(alerting)).kept.size).toBe(4);
    const view = await other.renew([]);
    expect([view.free, view.replicas.size]).toEqual([2, 2]);
    const [first] = alerting;
    if (first !== undefined) await alerts.release(first);
    expect((await budget.renew(held)).kept.size).toBe(6);
    expect(partitionsOf(await other.acquire(6, []))).toEqual([0, 4, 5]);
  });
});

const one = async (leases: SqlLeases): Promise<Lease> => {
  const [lease] = await leases.acquire(1, []);
  if (lease === undefined) throw new Error('nothing was taken');
  return lease;
};
const addScope = (name: string) => async (trx: Kysely<Database>) => {
  await trx
    .insertInto('projection.scope')
    .values({ tenant: 'acme', scope: name, parents: [], name: null, attributes: JSON.stringify({}), position: 1 })
    .execute();
};
const scopes = async (): Promise<readonly string[]> =>
  (await db.selectFrom('projection.scope').select('scope').orderBy('scope').execute()).map(({ scope }) => scope);

describe('checkpoints', () => {
  test('effects and checkpoint are committed together, and the next owner goes on after them', async () => {
    const mine = new Checkpoints(db, 'alerts');
    const lease = await one(replica('alerts'));
    expect(await mine.take(lease.key)).toBe(0);
    await mine.commit(0, 5, addScope('a'));
    await mine.commit(0, 9, addScope('b'));
    await expect(
      mine.commit(0, 12, async (trx) => {
        await addScope('c')(trx);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await scopes()).toEqual(['a', 'b']);
    expect(await new Checkpoints(db, 'alerts').take(lease.key)).toBe(9);
  });

  test('who has lost the partition commits nothing, whatever it believes', async () => {
    const [old, current] = [new Checkpoints(db, 'alerts'), new Checkpoints(db, 'alerts')];
    const first = await one(replica('alerts'));
    await old.take(first.key);
    await pass(TTL_MS + 1);
    const second = await one(replica('alerts'));
    expect(await current.take(second.key)).toBe(0);
    await expect(old.commit(0, 5, addScope('old'))).rejects.toBeInstanceOf(CheckpointLostError);
    await expect(old.take(first.key)).rejects.toBeInstanceOf(LeaseLostError);
    await current.commit(0, 5, addScope('new'));
    expect(await scopes()).toEqual(['new']);
  });
});
