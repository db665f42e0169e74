import { describe, expect, test } from '@jest/globals';
import { Hold } from '../src/domain/holds/hold.js';
import type { Lot } from '../src/domain/holds/lot.js';
import { toHoldWrites } from '../src/features/hold-groups.js';
import { lotOf } from './support/grant.js';

const end = (one: Hold, position: number): Hold => {
  one.status = 'released';
  one.position = position;
  return one;
};
const writes = (opened: readonly Lot[], ...became: readonly Hold[]): ReturnType<typeof toHoldWrites> =>
  toHoldWrites({ opened: [...opened], holds: new Set(became) });

describe('what the tables lack of reservations', () => {
  test('is a group for each event and tenant, and a row for what became of one alone', () => {
    const lot = lotOf(5, ['a', 'b']);
    const opened = [lot, lotOf(5, ['a'], { tenant: 'other' }), lotOf(6, ['c']), lotOf(6, ['d', 'e'])];
    const { added, changed, rows } = writes(opened, end(lot.hold('b'), 8));
    expect(added.map(({ tenant, since, held, position, terms }) => [tenant, since, held, position, terms.size])).toEqual([
      ['acme', 5, 1, 8, 1],
      ['other', 5, 1, 5, 1],
      ['acme', 6, 3, 6, 2],
    ]);
    expect(changed).toEqual([]);
    expect(rows.map(({ reservationId, status }) => [reservationId, status])).toEqual([['b', 'released']]);
  });

  test.each([
    ['who was asked for before that', true],
    ['and who was asked for only then', false],
  ])('is what ended since, once they have its group: %s', (_, before) => {
    const lot = lotOf(5, ['a', 'b']);
    const early = lot.hold('a');
    writes([lot]);
    const a = before ? early : lot.hold('a');
    expect([a.isStored, a.isStoredOpen]).toEqual([true, true]);
    const { added, changed, rows } = writes([], end(a, 9));
    expect(added).toEqual([]);
    expect(changed).toEqual([{ tenant: 'acme', since: 5, ended: 1, position: 9 }]);
    expect(rows.map(({ reservationId }) => reservationId)).toEqual(['a']);
    // Flagged later, it is held no less than before.
    expect(writes([], a).changed).toEqual([{ tenant: 'acme', since: 5, ended: 0, position: 9 }]);
  });

  test('is a row of its own of what only usage named, and of what was granted again in vain', () => {
    const lot = lotOf(5, ['a']);
    writes([lot]);
    const again = lot.hold('a');
    again.isGrantedAgain = true;
    const { added, changed, rows } = writes([], again, new Hold('acme', 'u', null, 7));
    expect([added, changed]).toEqual([[], [{ tenant: 'acme', since: 5, ended: 0, position: 5 }]]);
    expect(rows.map(({ reservationId, status, since }) => [reservationId, status, since])).toEqual([
      ['a', 'held', 5],
      ['u', 'unknown', 7],
    ]);
  });
});
