import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Grant } from '../domain/holds/hold.js';
import type { LedgerItem } from './ledger.js';
import { OwnChanges } from './own-changes.js';
import { type Portion, portionsOf } from './portions.js';

const cut = (items: readonly LedgerItem[], most: number): readonly Portion[] => portionsOf(items, most, new OwnChanges());

const item = fc.oneof(
  fc.constant({ type: 'UsageRecorded' }),
  fc.constant({ type: 'BudgetCreated' }),
  fc.constant({ unreadable: 'x' }),
  fc
    .nat({ max: 20 })
    .map((length) => ({ type: 'HoldsChanged', data: { changes: Array.from({ length }, () => ({ change: 'released' })) } })),
);

test('portions are the items in order, none heavier than asked for unless it is one item, and none that could have been with the one before', () => {
  fc.assert(
    fc.property(fc.array(item), fc.integer({ min: 1, max: 50 }), (items, most) => {
      const given = items as unknown as readonly LedgerItem[];
      const portions = cut(given, most);
      expect(portions.flatMap((portion) => portion.items)).toEqual(given);
      const heavy = portions.filter(({ weight }) => weight > most);
      expect(heavy.every((portion) => portion.items.filter((one) => cut([one], 1)[0]?.weight !== 0).length === 1)).toBe(true);
      for (const [index, { items: own }] of portions.entries()) {
        const before = portions[index - 1];
        const [first] = own;
        if (before === undefined || first === undefined) continue;
        expect(before.weight + (cut([first], most)[0]?.weight ?? 0)).toBeGreaterThan(most);
      }
    }),
  );
});

test('what was decided here is weighed without being read', () => {
  const own = new OwnChanges();
  own.expect('e', [
    { change: 'granted', tenant: 'acme', grants: ['a', 'b'].map((id) => ({ reservationId: id }) as Grant) },
    { change: 'released', tenant: 'acme', reservationId: 'c', at: '2026-03-01T00:00:00Z' },
  ]);
  const unread = {
    type: 'HoldsChanged',
    id: 'e',
    get data(): never {
      throw new Error('read');
    },
  } as unknown as LedgerItem;
  expect(portionsOf([unread], 10, own)).toEqual([{ items: [unread], weight: 3 }]);
  // Somebody else's that cannot be read is left to the fold.
  expect(cut([unread], 10)).toEqual([{ items: [unread], weight: 1 }]);
});
