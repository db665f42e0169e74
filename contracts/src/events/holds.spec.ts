import { expect, test } from '@jest/globals';
import { HoldsChanged, type HoldsGranted, holdGranted } from './holds.js';
import { upcast } from './registry.js';

const terms = {
  bodyHash: 'h',
  path: ['user:a'],
  amount: '1',
  currency: 'USD',
  category: 'chat',
  grantedAt: '2026-03-01T00:00:00Z',
  expiresAt: '2026-03-01T00:05:00Z',
  overrideIds: ['o'],
  decidedAt: 4,
  budgets: [{ budgetId: 'b', periodStart: '2026-03-01T00:00:00Z', amount: '1' }],
};

test('a grant of the first version says the same in the second', () => {
  const grants = [
    null,
    { budgetId: 'b', remaining: '5', graceRemaining: '7' },
    { budgetId: 'b', remaining: null, graceRemaining: null },
  ].map((tightest, n) => ({ change: 'granted', tenant: 'acme', reservationId: `r${n}`, ...terms, tightest }));
  const released = { change: 'released', tenant: 'acme', reservationId: 'r0', at: '2026-03-01T00:01:00Z' };
  const { changes } = HoldsChanged.data.parse(upcast('HoldsChanged', 1, { partition: 3, changes: [...grants, released] }));
  expect(changes.at(-1)).toEqual(released);
  const read = changes.filter((change): change is HoldsGranted => change.change === 'granted');
  expect(read.map(({ reservations }) => reservations)).toEqual([
    [{ id: 'r0' }],
    [{ id: 'r1', remaining: '5', graceRemaining: '7' }],
    [{ id: 'r2', remaining: null }],
  ]);
  const said = read.flatMap((one) => one.reservations.map((each) => ({ change: 'granted', ...holdGranted(one.tenant, one.terms, each) })));
  expect(said).toEqual(grants);
});
