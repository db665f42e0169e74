import { randomUUID } from 'node:crypto';
import { contentHash, holdsStream } from '@bursar/contracts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Changes } from '../src/domain/changes.js';
import { Hold } from '../src/domain/holds/hold.js';
import type { Lot } from '../src/domain/holds/lot.js';
import { toBatch } from '../src/features/batches.js';
import { type Fence, FencedError } from '../src/features/projection-tables.js';
import { lotOf } from './support/grant.js';
import { KEY, seize } from './support/leases.js';
import { type Real, real, wipe } from './support/real.js';

let at: Real;
beforeAll(async () => {
  at = await real();
});
afterAll(() => at?.close());

const release = (one: Hold, position: number): Hold => {
  one.status = 'released';
  one.end = { at: '2026-03-01T00:01:00Z', position };
  one.position = position;
  return one;
};

/** The next event of the ledger grants this, or nothing. */
const append = async (lot?: Lot): Promise<void> => {
  const data = `{"changes":[${lot?.terms.granted ?? ''}],"partition":0}`;
  const event = { id: randomUUID(), type: 'HoldsChanged', version: 3, data, meta: '{"tenant":""}', contentHash: contentHash(data) };
  await at.store.append({ partition: 0, stream: holdsStream(0), events: [event], expectedRevision: 'any' });
};

const open = async (): Promise<readonly string[]> =>
  (await at.tables.openHolds('acme')).map(({ id, since }) => `${id} since ${since}`).sort();

test('what is held as it was granted has no row, and is found; what became of the others is found by their ids', async () => {
  await seize(at.db, KEY);
  let fence: Fence = await at.tables.take('budget', KEY);
  const commit = async (position: number, holds: readonly Hold[], ...opened: readonly Lot[]): Promise<void> => {
    const changes = new Changes();
    changes.position = position;
    changes.opened.push(...opened);
    for (const one of holds) changes.holds.add(one);
    fence = await at.tables.commit(fence, toBatch(changes));
  };
  const lot = lotOf(5, ['a', 'b', 'c']);
  const later = lotOf(9, ['a', 'd', 'u'], { held: 1 });
  for (let position = 1; position <= 9; position += 1) await append(position === 5 ? lot : position === 9 ? later : undefined);
  const [a, b, c] = [lot.hold('a'), lot.hold('b'), lot.hold('c')];
  await commit(6, [release(b, 6)], lot);
  expect(await open()).toEqual(['a since 5', 'c since 5']);
  expect(await at.db.selectFrom('projection.hold').select('reservation_id').execute()).toEqual([{ reservation_id: 'b' }]);

  const unknown = new Hold('acme', 'u', null, 7);
  await commit(7, [release(c, 7), unknown]);
  expect(await open()).toEqual(['a since 5']);

  // Both ids are used up, and the event is in the ledger all the same.
  const d = later.hold('d');
  a.isGrantedAgain = true;
  await commit(9, [a], later);
  expect(await open()).toEqual(['a since 5', 'd since 9']);
  expect((await at.tables.expiring(0)).map(({ reservationId }) => reservationId).sort()).toEqual(['a', 'd']);
  const known = await at.tables.holds(['a', 'b', 'c', 'd', 'u', 'x'].map((reservationId) => ({ tenant: 'acme', reservationId })));
  expect(known.map(({ id, status, since, grant }) => [id, status, since, grant?.terms.expiresAt ?? null]).sort()).toEqual([
    ['a', 'held', 5, a.grant?.terms.expiresAt],
    ['b', 'released', 5, a.grant?.terms.expiresAt],
    ['c', 'released', 5, a.grant?.terms.expiresAt],
    ['u', 'unknown', 7, null],
  ]);
  const named = await at.tables.holdsNamed('acme', ['b', 'd', 'u', 'x']);
  expect(named.map(({ id, status, since }) => [id, status, since]).sort()).toEqual([
    ['b', 'released', 5],
    ['d', 'held', 9],
    ['u', 'unknown', 7],
  ]);
  expect(named.find(({ id }) => id === 'd')?.grant?.terms.expiresAt).toBe(d.grant?.terms.expiresAt);
  const groups = await at.db.selectFrom('projection.hold_group').select(['since', 'held', 'position']).orderBy('since').execute();
  expect(groups).toEqual([
    { since: 5, held: 1, position: 7 },
    { since: 9, held: 1, position: 9 },
  ]);
});

test('who was overtaken writes nothing of what is held; whoever was not, all of it at once, and takes away what is held no more', async () => {
  await wipe(at.db);
  const old = await at.tables.take('budget', KEY);
  const fence = await at.tables.take('budget', KEY);
  const changes = new Changes();
  changes.opened.push(lotOf(5, ['a', 'b']));
  const row = { tenant: 'acme', budgetId: 'one', periodStart: '2026-03-01T00:00:00Z' };
  const batch = { ...toBatch(changes), position: 5, reserved: [{ ...row, reserved: '2' }] };
  const [group] = batch.holdGroups;
  if (group === undefined) throw new Error('there is one');
  const written = async (): Promise<readonly unknown[]> => [
    await at.db.selectFrom('projection.hold_group').select(['since', 'partition', 'held']).execute(),
    await at.db.selectFrom('projection.reserved').select(['budget_id', 'reserved']).execute(),
  ];
  await expect(at.tables.commit(old, batch)).rejects.toThrow(FencedError);
  expect(await written()).toEqual([[], []]);
  const moved = await at.tables.commit(fence, batch);
  expect(await written()).toEqual([
    [{ since: 5, partition: 0, held: 2 }],
    [{ budget_id: 'one', reserved: expect.stringMatching(/^2(\.0+)?$/) }],
  ]);
  // A budget that counts anew beside what is granted: each is written once.
  const later = {
    ...batch,
    position: 9,
    recounted: [{ tenant: 'acme', budgetId: 'one' }],
    holdGroups: [{ ...group, since: 9, position: 9 }],
  };
  const recounted = await at.tables.commit(moved, later);
  expect(await at.db.selectFrom('projection.hold_group').select('since').orderBy('since').execute()).toEqual([{ since: 5 }, { since: 9 }]);
  await at.db.deleteFrom('projection.hold_group').where('since', '=', 9).execute();
  await at.tables.commit(recounted, { ...batch, position: 10, holdGroups: [], reserved: [{ ...row, reserved: '0' }] });
  expect(await written()).toEqual([[{ since: 5, partition: 0, held: 2 }], []]);
});
