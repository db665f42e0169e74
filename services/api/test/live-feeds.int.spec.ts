import { PassThrough } from 'node:stream';
import { createDatabase, createPool, migrate, type Pool } from '@bursar/database';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LiveFeeds } from '../src/features/live/live-feeds.js';

let home: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  home = await testDatabase();
  await migrate(home.url);
  pool = createPool(home.url, { name: 'test', max: 2 });
});

afterAll(async () => {
  await pool?.end();
  await home?.drop();
});

const everything = { topics: new Set(['balances', 'alerts'] as const), scope: null };

/** Feeds of nothing, and how to listen to a tenant's; `out` ends as its client's connection does. */
const listening = () => {
  const feeds = new LiveFeeds(createDatabase(pool), 1, {
    trouble: (error) => {
      throw error;
    },
  });
  const listen = () => {
    const out = new PassThrough();
    return { out, joined: feeds.subscribe('acme', everything, null, out, () => undefined) };
  };
  return { feeds, listen };
};

test('G6 who comes while the last listener leaves is heard of all the same', async () => {
  const { feeds, listen } = listening();
  const first = listen();
  await first.joined;
  const second = listen();
  first.out.destroy();
  await second.joined;
  expect(feeds.subscribers).toBe(1);
  second.out.destroy();
  await new Promise((resolve) => second.out.once('close', resolve));
  expect(feeds.subscribers).toBe(0);
  feeds.close();
});

test('G6 who leaves before it was heard of takes nobody else along', async () => {
  const { feeds, listen } = listening();
  const gone = listen();
  gone.out.destroy();
  const stays = listen();
  await Promise.all([gone.joined, stays.joined]);
  expect(feeds.subscribers).toBe(1);
  stays.out.destroy();
  feeds.close();
});
