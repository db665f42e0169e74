import { describe, expect, test } from '@jest/globals';
import { Hold } from '../src/domain/holds/hold.js';
import { toHoldWrites } from '../src/features/hold-groups.js';
import { grant } from './support/grant.js';

const hold = (id: string, since: number, tenant = 'acme'): Hold => new Hold(tenant, id, grant(), since);
const end = (one: Hold, position: number): Hold => {
  one.status = 'released';
  one.position = position;
  return one;
};

const opened = (...holds: readonly Hold[]): Parameters<typeof toHoldWrites>[0] => ({ opened: [...holds], holds: new Set() });
const became = (...holds: readonly Hold[]): Parameters<typeof toHoldWrites>[0] => ({ opened: [], holds: new Set(holds) });

describe('what the tables lack of reservations', () => {
  test('is a group for each event and tenant, and a row for what became of one alone', () => {
    const { added, changed, rows } = toHoldWrites(opened(hold('a', 5), end(hold('b', 5), 8), hold('a', 5, 'other'), hold('c', 6)));
    expect(added.map(({ tenant, since, held, position }) => [tenant, since, held, position])).toEqual([
      ['acme', 5, 1, 8],
      ['other', 5, 1, 5],
      ['acme', 6, 1, 6],
    ]);
    expect(changed).toEqual([]);
    expect(rows.map(({ reservationId, status }) => [reservationId, status])).toEqual([['b', 'released']]);
  });

  test('is what ended since, once they have its group', () => {
    const [a, b] = [hold('a', 5), hold('b', 5)];
    toHoldWrites(opened(a, b));
    const { added, changed, rows } = toHoldWrites(became(end(a, 9)));
    expect(added).toEqual([]);
    expect(changed).toEqual([{ tenant: 'acme', since: 5, ended: 1, position: 9 }]);
    expect(rows.map(({ reservationId }) => reservationId)).toEqual(['a']);
    // Flagged later, it is held no less than before.
    expect(toHoldWrites(became(a)).changed).toEqual([{ tenant: 'acme', since: 5, ended: 0, position: 9 }]);
  });

  test('is said once of what was granted and ended before its group was written', () => {
    const [a, b] = [hold('a', 5), end(hold('b', 5), 8)];
    const { added, changed, rows } = toHoldWrites({ opened: [a, b], holds: new Set([b]) });
    expect(added.map(({ tenant, since, held, position }) => [tenant, since, held, position])).toEqual([['acme', 5, 1, 8]]);
    expect(changed).toEqual([]);
    expect(rows.map(({ reservationId }) => reservationId)).toEqual(['b']);
  });

  test('is a row of its own of what only usage named, and of what was granted again in vain', () => {
    const again = hold('a', 5);
    toHoldWrites(opened(again));
    again.isGrantedAgain = true;
    const { added, changed, rows } = toHoldWrites(became(again, new Hold('acme', 'u', null, 7)));
    expect([added, changed]).toEqual([[], [{ tenant: 'acme', since: 5, ended: 0, position: 5 }]]);
    expect(rows.map(({ reservationId, status, since }) => [reservationId, status, since])).toEqual([
      ['a', 'held', 5],
      ['u', 'unknown', 7],
    ]);
  });
});
