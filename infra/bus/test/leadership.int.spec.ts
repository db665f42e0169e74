import { setTimeout as delay } from 'node:timers/promises';
import { createPool, type Pool } from '@bursar/database';
import { testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lead, type Pulse } from '../src/relay/leadership.js';

const KEY = 4711;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pool[];
beforeAll(async () => {
  database = await testDatabase();
  pools = ['one', 'two'].map((name) => createPool(database.url, { name, max: 2 }));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await database.drop();
});

/** The first candidate leads by the given pulse, then a second one that is well comes. Answers who led, in order; ends both. */
const contend = async (pulse: Pulse, forMs: number): Promise<readonly number[]> => {
  const led: number[] = [];
  const stop = new AbortController();
  const until = performance.now() + forMs;
  const candidate = (index: number, at: Pulse): Promise<void> => {
    const pool = pools[index];
    if (pool === undefined) throw new RangeError(`there is no candidate ${index}`);
    const reign = ({ signal }: { signal: AbortSignal }): Promise<void> => {
      led.push(index);
      return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
    };
    return lead(pool, KEY, stop.signal, silent, reign, at);
  };
  const ledBy = async (count: number): Promise<void> => {
    while (led.length < count && performance.now() < until) await delay(20);
  };
  const first = candidate(0, pulse);
  await ledBy(1);
  const second = candidate(1, { silenceMs: 4_000, everyMs: 100 });
  await ledBy(2);
  stop.abort();
  await Promise.all([first, second]);
  return led;
};

describe('the lead of the relay', () => {
  test('passes from a leader that has fallen silent, though its connection stands', async () => {
    expect(await contend({ silenceMs: 300, everyMs: 600_000 }, 20_000)).toEqual([0, 1]);
  });

  test('stays with one that speaks, however long it reigns', async () => {
    expect(await contend({ silenceMs: 1_500, everyMs: 100 }, 4_000)).toEqual([0]);
  });
});
