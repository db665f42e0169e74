import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Handover, type HandoverRoom } from './handover.js';
import type { LedgerItem } from './ledger.js';

const roomFor = (limit: number): HandoverRoom => ({ used: 0, limit });

const usage = (position: number): LedgerItem => ({ type: 'UsageRecorded', position }) as LedgerItem;
const definition = (position: number): LedgerItem => ({ type: 'BudgetCreated', position }) as LedgerItem;

const action = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 6 }), usage: fc.boolean() }),
  fc.record({ take: fc.integer({ min: 1, max: 6 }), behind: fc.nat(3) }),
  fc.record({ skip: fc.constant(true) }),
);

test('what is taken follows the checkpoint without a gap, however pushes and takes interleave, and all share the room', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1), action)),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      (actions, most, limit) => {
        const room = roomFor(limit);
        const sides = [0, 1].map(() => ({ handover: new Handover(most, room), head: 0, after: 0 }));
        for (const [which, one] of actions) {
          const side = sides[which];
          if (side === undefined) continue;
          if ('push' in one) {
            for (let k = 0; k < one.push; k += 1) {
              side.head += 1;
              side.handover.push(one.usage ? usage(side.head) : definition(side.head), null);
            }
          } else if ('skip' in one) {
            side.after = side.head; // the breakdown read the rest from the store
          } else {
            const through = Math.max(side.after, side.head - one.behind);
            const taken = side.handover.take(side.after, through, one.take).map(({ position }) => position);
            expect(taken).toEqual(taken.map((_, index) => side.after + 1 + index));
            expect(taken.length).toBeLessThanOrEqual(Math.min(one.take, through - side.after));
            side.after += taken.length;
          }
          // One more than there is room for, each: what is handed over is dropped before, never refused.
          expect(room.used).toBeLessThanOrEqual(limit + sides.length);
        }
        for (const { handover } of sides) handover.clear();
        expect(room.used).toBe(0);
      },
    ),
  );
});

test('what is at hand is handed over, without what the breakdown has no use for', () => {
  const room = roomFor(10);
  const handover = new Handover(10, room);
  for (const item of [usage(5), definition(6), usage(7)]) handover.push(item, null);
  expect(handover.first).toBe(5);
  expect(room.used).toBe(2);
  expect(handover.take(3, 7, 10)).toEqual([]);
  expect(handover.take(4, 6, 10).map(({ position, item }) => [position, item !== null])).toEqual([
    [5, true],
    [6, false],
  ]);
  expect(handover.take(6, 7, 10).map(({ position }) => position)).toEqual([7]);
  expect(room.used).toBe(0);
});
