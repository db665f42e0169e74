import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { partitionOf } from '@bursar/contracts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tell, tellAtOnce } from './support/events.js';
import { budgetCreated, crossed } from './support/make.js';
import { type AlertRow, PARTITIONS, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await Promise.all([...launched].map(kill));
  await world?.stop();
});

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const launched = new Set<ChildProcess>();
const launch = (): ChildProcess => {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
    env: { ...process.env, NODE_OPTIONS: '', ...world.env, PORT: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  launched.add(child);
  return child;
};
const kill = async (child: ChildProcess): Promise<void> => {
  launched.delete(child);
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const crossings = (tenant: string, budgetId: string, count: number) =>
  Array.from({ length: count }, (_, n) => crossed(tenant, budgetId, { episode: n + 1 }));

/** Every crossing once, numbered without a gap, in the order of the ledger. */
const expectWhole = (alerts: readonly AlertRow[], count: number): void => {
  expect(alerts.map(({ revision }) => revision)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(new Set(alerts.map(({ data }) => data.details.episode)).size).toBe(count);
};

/** Tenants of different partitions. */
const [SMALL = '', LARGE = ''] = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'].filter(
  (tenant, index, all) => all.findIndex((other) => partitionOf(other, PARTITIONS) === partitionOf(tenant, PARTITIONS)) === index,
);

describe('nothing is lost, and nothing comes twice', () => {
  test('killed again and again in the middle of it', async () => {
    await tell(world.store, [budgetCreated('acme', 'b1')]);
    const all = crossings('acme', 'b1', 750);
    let told = 0;
    for (let round = 0; round < 2; round += 1) {
      const child = launch();
      await tellAtOnce(world.store, all.slice(told, told + 375));
      told += 375;
      // Dies when some of it is recorded: between whichever two steps that is.
      await world.raised('acme', Math.max(1, told - 374));
      await kill(child);
    }
    const last = launch();
    expectWhole(await world.raised('acme', all.length), all.length);
    await kill(last);
  }, 240_000);

  test('LiteLLM #35800: two replicas at once, one of which leaves, raise each alert once', async () => {
    const [first, second] = await Promise.all([world.boot(), world.boot()]);
    await tell(world.store, [budgetCreated('globex', 'b1')]);
    const all = crossings('globex', 'b1', 400);
    await tellAtOnce(world.store, all.slice(0, 200));
    await world.raised('globex', 1);
    await first.stop();
    await tellAtOnce(world.store, all.slice(200));
    expectWhole(await world.raised('globex', all.length), all.length);
    await second.stop();
  });

  test('10,000 crossings in one burst are all recorded, and another tenant’s alert does not wait for them', async () => {
    await tell(world.store, [budgetCreated(LARGE, 'b1'), budgetCreated(SMALL, 'b1')]);
    const burst = tellAtOnce(world.store, crossings(LARGE, 'b1', 10_000));
    const service = await world.boot();
    await tell(world.store, [crossed(SMALL, 'b1')]);
    await burst;
    const [[other], many] = await Promise.all([world.raised(SMALL, 1), world.raised(LARGE, 10_000)]);
    expectWhole(many, 10_000);
    expect(Date.parse(other?.raised_at ?? '')).toBeLessThan(Date.parse(many.at(-1)?.raised_at ?? ''));
    await service.stop();
  }, 180_000);
});
