import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, connectBus } from '@bursar/bus';
import { type TestNats, testNats } from '@bursar/embedded';
import { LeaseLostError } from '@bursar/leases';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { expectExactBalances, untilCaughtUp } from './support/exact.js';
import { KEY, seize } from './support/leases.js';
import { metricOf, type Projector, Projectors } from './support/processes.js';
import { publish, type Real, real } from './support/real.js';
import { steps } from './support/stories.js';

const LEASE_MS = 1_000;
const FAULTS = 9;
/** Of the ranges appended, so many are told on the bus: the rest are gaps. */
const TOLD = 0.7;

let at: Real;
let nats: TestNats;
let bus: Bus;
let projectors: Projectors;
beforeAll(async () => {
  [at, nats] = await Promise.all([real(), testNats()]);
  bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.ensureStreams();
  let range = 0;
  at.store.onAppended((appended) => {
    range += 1;
    if ((range * 7) % 10 < 10 * TOLD) bus.publishRange(appended);
  });
  projectors = new Projectors(at, { NATS_URL: nats.url, PARTITION_LEASE_MS: String(LEASE_MS) });
});
afterAll(async () => {
  projectors?.killAll();
  await bus?.close();
  await at?.close();
  await nats?.stop();
});

/** Somebody takes the partition from an owner that is well, raises the epoch and is gone; where he is too slow it is another's by then. */
const usurp = async (): Promise<void> => {
  const lease = await seize(at.db, { ...KEY, owner: 'usurper' });
  await at.tables.take('budget', lease).catch((error: unknown) => {
    if (!(error instanceof LeaseLostError)) throw error;
  });
  await sql`UPDATE projection.lease SET expires_at = now()`.execute(at.db);
};

/** Waits for the partition to have an owner that answers. */
const owner = async (): Promise<Projector> => {
  while (projectors.owner === null) await delay(20);
  return projectors.owner;
};

test('three projectors of one partition, frozen, killed and usurped in turn under load: every figure is exact', async () => {
  const alive = [await projectors.start(), await projectors.start(), await projectors.start()];
  let [running, gaps] = [true, 0];
  const load = publish(at.store, steps(11, 900), () => delay(running ? 700 : 0));
  for (let fault = 0; fault < FAULTS; fault += 1) {
    await delay(400);
    const victim = await owner();
    gaps += await metricOf(victim, 'bursar_bus_gaps_read_total');
    if (fault % 3 === 0) {
      victim.process.kill('SIGSTOP');
      await delay(2 * LEASE_MS);
      victim.process.kill('SIGCONT');
    } else if (fault % 3 === 1) {
      for (let n = 0; n < 4; n += 1) {
        await usurp();
        await delay(LEASE_MS / 4);
      }
    } else {
      await projectors.kill(victim);
      alive[alive.indexOf(victim)] = await projectors.start();
    }
  }
  running = false;
  await load;
  await untilCaughtUp(at);
  await expectExactBalances(at);
  for (const one of alive) gaps += await metricOf(one, 'bursar_bus_gaps_read_total');
  // Else the test proved nothing.
  expect(projectors.said.get('another process has taken the partition; what was not committed is dropped') ?? 0).toBeGreaterThan(0);
  expect(projectors.said.get('the lease ran out and another process has it') ?? 0).toBeGreaterThan(0);
  expect(gaps).toBeGreaterThan(0);
  expect(await projectors.stop(...alive)).toEqual([0, 0, 0]);
}, 180_000);
