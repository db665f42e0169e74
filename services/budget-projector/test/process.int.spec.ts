import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectExactBalances, untilCaughtUp } from './support/exact.js';
import { ADMIN_KEY, Projectors } from './support/processes.js';
import { eventually, ledgerOf, publish, type Real, real } from './support/real.js';
import { steps } from './support/stories.js';

let at: Real;
let projectors: Projectors;
beforeAll(async () => {
  at = await real();
  projectors = new Projectors(at, { PARTITION_LEASE_MS: '1000' }); // without a bus
});
afterAll(async () => {
  projectors.killAll();
  await at.close();
});

const status = async (url: string, path: string, init?: RequestInit): Promise<number> => (await fetch(`${url}${path}`, init)).status;

test('killing either of two projectors at any moment changes no figure', async () => {
  let [one, two] = [await projectors.start(), await projectors.start()];
  const published = publish(at.store, steps(7, 400));
  for (let kill = 0; kill < 4; kill += 1) {
    const head = (await ledgerOf(at.store)).length;
    await projectors.kill(kill % 2 === 0 ? one : two);
    const heir = await projectors.start();
    [one, two] = kill % 2 === 0 ? [heir, two] : [one, heir];
    // Someone goes on, or there is nothing left to fold.
    await eventually(
      () => at.db.selectFrom('projection.checkpoint').select('position').where('projection', '=', 'budget').execute(),
      ([row]) => (row?.position ?? 0) >= head,
    );
  }
  await published;
  await untilCaughtUp(at);
  await expectExactBalances(at);
  expect(await projectors.stop(one, two)).toEqual([0, 0]);
});

test('who leaves in order gives its partition up at once', async () => {
  const [one, two] = [await projectors.start(), await projectors.start()];
  await eventually(
    () => projectors.owner,
    (owner) => owner === one || owner === two,
  );
  const owner = projectors.owner === one ? one : two;
  await projectors.stop(owner);
  const leases = await at.db.selectFrom('projection.lease').select(['owner', 'epoch']).execute();
  const replicas = await at.db.selectFrom('projection.replica').select('replica').execute();
  const heir = owner === one ? two : one;
  await eventually(
    () => projectors.owner,
    (now) => now === heir,
  );
  // Given up, or with the other already; and who left is no member any more.
  expect(leases.every(({ owner: name }) => name === null || replicas.some(({ replica }) => replica === name))).toBe(true);
  await projectors.stop(heir);
  expect(await at.db.selectFrom('projection.lease').select('owner').execute()).toEqual([{ owner: null }]);
});

test('is ready once it owns its share, asks for a key, and judges what it is asked', async () => {
  const projector = await projectors.start();
  const { url } = projector;
  await eventually(
    () => status(url, '/readyz'),
    (code) => code === 200,
  );
  const body = JSON.stringify({ scopes: ['team:ml'], amount: '1' });
  const headers = { 'content-type': 'application/json' };
  expect(await status(url, '/api/v1/check', { method: 'POST', headers, body })).toBe(401);
  const authorized = { ...headers, authorization: `Bearer ${ADMIN_KEY}` };
  expect(await status(url, '/api/v1/reservations', { method: 'POST', headers: authorized, body: '{"scopes":[]}' })).toBe(400);
  expect(await status(url, '/api/v1/check', { method: 'POST', headers: authorized, body: '{"scopes":[]}' })).toBe(400);
  await projectors.stop(projector);
});
