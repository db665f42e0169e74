import { expect, test } from '@jest/globals';
import type { z } from 'zod';
import { type HoldChange, type HoldReservation, HoldsChanged, type HoldsGranted, holdGranted, holdReservations } from './holds.js';
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

const granted = (changes: readonly HoldChange[]): readonly HoldsGranted[] =>
  changes.filter((change): change is HoldsGranted => change.change === 'granted');

const released = { change: 'released', tenant: 'acme', reservationId: 'r0', at: '2026-03-01T00:01:00Z' };

test('a grant of the first version says the same in the newest', () => {
  const grants = [
    null,
    { budgetId: 'b', remaining: '5', graceRemaining: '7' },
    { budgetId: 'b', remaining: null, graceRemaining: null },
  ].map((tightest, n) => ({ change: 'granted', tenant: 'acme', reservationId: `r${n}`, ...terms, tightest }));
  const { changes } = HoldsChanged.data.parse(upcast('HoldsChanged', 1, { partition: 3, changes: [...grants, released] }));
  expect(changes.at(-1)).toEqual(released);
  const read = granted(changes);
  expect(read.map(({ reservationIds, remaining, graceRemaining }) => [reservationIds, remaining, graceRemaining])).toEqual([
    [['r0'], undefined, undefined],
    [['r1'], '5', '7'],
    [['r2'], null, undefined],
  ]);
  const said = read.flatMap((one) =>
    holdReservations(one).map((each) => ({ change: 'granted', ...holdGranted(one.tenant, one.terms, each) })),
  );
  expect(said).toEqual(grants);
});

test('grants of the second version say the same in the newest, in as few as fall by their amount', () => {
  const second = (...reservations: readonly HoldReservation[]) => ({
    change: 'granted',
    tenant: 'acme',
    terms: { ...terms, tightest: 'b' },
    reservations,
  });
  const even = second(
    { id: 'a', remaining: '5.5', graceRemaining: '7.5' },
    { id: 'b', remaining: '4.5', graceRemaining: '6.5' },
    { id: 'c', remaining: '3.5', graceRemaining: '5.5' },
  );
  const endless = second({ id: 'd', remaining: null }, { id: 'e', remaining: null });
  const uneven = second(
    { id: 'f', remaining: '9' },
    { id: 'g', remaining: '8' },
    { id: 'h', remaining: '3' },
    { id: 'i', remaining: '2', graceRemaining: '4' },
  );
  const unreadable = second({ id: 'j', remaining: '5' }, { id: 'k', remaining: 'x' }, { id: 'l', remaining: '3' });
  const vague = { ...second({ id: 'm', remaining: '5' }, { id: 'n', remaining: '4' }), terms: { ...terms, amount: 'much', tightest: 'b' } };
  const old = [even, endless, released, uneven, unreadable, vague];
  // Read as it was written: the fold sets aside what cannot be read.
  const { changes } = upcast('HoldsChanged', 2, { partition: 3, changes: old }) as z.output<typeof HoldsChanged.data>;
  expect(changes.map((one) => (one.change === 'granted' ? one.reservationIds : one.change))).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
    'released',
    ['f', 'g'],
    ['h'],
    ['i'],
    ['j', 'k', 'l'],
    ['m', 'n'],
  ]);
  const [whole, other] = granted(changes).slice(-2);
  expect([whole?.remaining, other?.terms.amount]).toEqual(['x', 'much']);
  for (const one of [whole, other]) expect(() => one && holdReservations(one)).toThrow();
  const readable = { partition: 3, changes: changes.slice(0, -2) };
  expect(HoldsChanged.data.parse(readable)).toEqual(readable);
  expect(granted(readable.changes).flatMap(holdReservations)).toEqual([even, endless, uneven].flatMap(({ reservations }) => reservations));
});
