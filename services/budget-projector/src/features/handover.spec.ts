import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Handover } from './handover.js';

const folded = (position: number) => ({ item: { unreadable: '', position, tenant: null }, charged: null });

test('what is taken follows the checkpoint without a gap, however pushes and takes interleave', () => {
  const action = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 6 }), behind: fc.nat(3) }),
    fc.record({ skip: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(action), fc.integer({ min: 1, max: 8 }), (actions, most) => {
      const handover = new Handover(most);
      let head = 0;
      let after = 0;
      for (const one of actions) {
        if ('push' in one) for (let k = 0; k < one.push; k += 1) handover.push(folded(++head));
        else if ('skip' in one)
          after = head; // the breakdown read the rest from the store
        else {
          const through = Math.max(after, head - one.behind);
          const taken = handover.take(after, through, one.take).map(({ item }) => item.position);
          expect(taken).toEqual(taken.map((_, index) => after + 1 + index));
          expect(taken.length).toBeLessThanOrEqual(Math.min(one.take, through - after));
          after += taken.length;
        }
      }
    }),
  );
});

test('what is at hand is handed over', () => {
  const handover = new Handover(10);
  for (const position of [5, 6, 7]) handover.push(folded(position));
  expect(handover.first).toBe(5);
  expect(handover.take(3, 7, 10)).toEqual([]);
  expect(handover.take(4, 6, 10).map(({ item }) => item.position)).toEqual([5, 6]);
  expect(handover.take(6, 7, 10).map(({ item }) => item.position)).toEqual([7]);
});
