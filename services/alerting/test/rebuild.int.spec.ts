import { createDatabase, createPool } from '@bursar/database';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { bootAlerting } from '../src/boot.js';
import { AlertingEnv } from '../src/config.js';
import { digestOf } from './support/digest.js';
import { tell } from './support/events.js';
import { budgetCreated, cleared, crossed, overrideGranted, paused, periodEnded, refused, resumed } from './support/make.js';
import { eventually, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld(false);
});
afterAll(() => world?.stop());

/** Everything that may raise an alert, in three tenants. */
const story = async (): Promise<number> => {
  for (const tenant of ['acme', 'globex', 'initech']) {
    await tell(world.store, [
      budgetCreated(tenant, 'b1'),
      crossed(tenant, 'b1'),
      crossed(tenant, 'b1', { threshold: '95%', definition: { percent: '95', severity: 'critical', actions: ['notify'] }, spend: '960' }),
      cleared(tenant, 'b1'),
      crossed(tenant, 'b1', { episode: 2 }),
      paused(tenant, 'b1', 'audit'),
      resumed(tenant, 'b1'),
      overrideGranted(tenant, 'b1'),
      refused(tenant, 'b1', 1),
      refused(tenant, 'b1', 2),
      periodEnded(tenant, 'b1'),
    ]);
  }
  return 9;
};

test('PRODUCT J5: wiped and replayed, here or in another database, the ledger raises the same set, digest for digest', async () => {
  const first = await world.boot();
  const each = await story();
  for (const tenant of ['acme', 'globex', 'initech']) expect(await world.raised(tenant, each)).toHaveLength(each);
  await world.settled();
  const all = () => world.db.selectFrom('alerting.alert').selectAll().orderBy('partition').orderBy('position').execute();
  const before = await all();
  const heads = await world.store.heads();
  await first.stop();

  await sql`TRUNCATE alerting.alert, alerting.acknowledgement, alerting.beginning`.execute(world.db);
  await sql`DELETE FROM projection.checkpoint WHERE projection = 'alerting'`.execute(world.db);
  const second = await world.boot();
  await world.settled();
  expect(digestOf(await all())).toBe(digestOf(before));
  // Raised again, nothing was appended: the ledger had it all.
  expect(await world.store.heads()).toEqual(heads);
  await second.stop();

  const copy = await copyOf(world.database.url);
  try {
    const db = createDatabase(createPool(copy.url, { name: 'copy', max: 2 }));
    await sql`TRUNCATE alerting.alert, alerting.beginning`.execute(db);
    await sql`DELETE FROM projection.checkpoint WHERE projection = 'alerting'`.execute(db);
    const third = await bootAlerting(AlertingEnv.parse({ ...world.env, DATABASE_URL: copy.url, EVENT_STORE_URL: copy.url }));
    const there = () => db.selectFrom('alerting.alert').selectAll().orderBy('partition').orderBy('position').execute();
    await eventually(async () => (await there()).length === before.length);
    expect(digestOf(await there())).toBe(digestOf(before));
    await third.stop();
    await db.destroy();
  } finally {
    await copy.drop();
  }
});

/** Another database with the same ledger. What is connected to the first is closed meanwhile. */
const copyOf = async (url: string): Promise<Readonly<{ url: string; drop(): Promise<void> }>> => {
  const name = new URL(url).pathname.slice(1);
  const admin = createPool(Object.assign(new URL(url), { pathname: '/postgres' }).toString(), { name: 'test-admin', max: 1 });
  await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
  await admin.query(`CREATE DATABASE "${name}_copy" TEMPLATE "${name}"`);
  return {
    url: Object.assign(new URL(url), { pathname: `/${name}_copy` }).toString(),
    drop: async () => {
      await admin.query(`DROP DATABASE "${name}_copy" WITH (FORCE)`);
      await admin.end();
    },
  };
};
