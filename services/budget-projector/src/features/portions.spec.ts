import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerItem } from './ledger.js';
import { portionsOf } from './portions.js';

const item = fc.oneof(
  fc.constant({ type: 'UsageRecorded' }),
  fc.constant({ type: 'BudgetCreated' }),
  fc.constant({ unreadable: 'x' }),
  fc.nat({ max: 20 }).map((length) => ({ type: 'HoldsChanged', data: { changes: Array.from({ length }, () => ({})) } })),
);

test('portions are the items in order, none heavier than asked for unless it is one item, and none that could have been with the one before', () => {
  fc.assert(
    fc.property(fc.array(item), fc.integer({ min: 1, max: 50 }), (items, most) => {
      const given = items as unknown as readonly LedgerItem[];
      const portions = portionsOf(given, most);
      expect(portions.flatMap((portion) => portion.items)).toEqual(given);
      const heavy = portions.filter(({ weight }) => weight > most);
      expect(heavy.every((portion) => portion.items.filter((one) => portionsOf([one], 1)[0]?.weight !== 0).length === 1)).toBe(true);
      for (const [index, { items: own }] of portions.entries()) {
        const before = portions[index - 1];
        const [first] = own;
        if (before === undefined || first === undefined) continue;
        expect(before.weight + (portionsOf([first], most)[0]?.weight ?? 0)).toBeGreaterThan(most);
      }
    }),
  );
});
