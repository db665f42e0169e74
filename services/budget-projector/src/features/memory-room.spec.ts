import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryRoom } from './memory-room.js';

const held = (definitions: number) => ({ held: { tenants: 0, definitions, periods: 0 } });

test('while there is room for all nobody lets go of anything; else each keeps its share at least, and whoever has more can make room', () =>
  fc.assert(
    fc.property(fc.array(fc.nat(100), { minLength: 1, maxLength: 16 }), fc.nat(400), (sizes, limit) => {
      const room = new MemoryRoom({ tenants: 0, definitions: limit, periods: 0 });
      for (const size of sizes) room.join(held(size));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      for (const size of sizes) {
        const quota = room.quota('definitions', size);
        expect(quota === null).toBe(total <= limit);
        if (quota === null) continue;
        const share = Math.floor((limit * 0.7) / sizes.length);
        expect(quota).toBeGreaterThanOrEqual(share);
        // Nothing is let go beyond what is too much.
        if (quota > share) expect(total - (size - quota)).toBeGreaterThanOrEqual(Math.floor(limit * 0.7) - 1);
      }
      if (total > limit) expect(sizes.some((size) => (room.quota('definitions', size) ?? size) < size)).toBe(true);
    }),
  ));

test('who has left takes no room', () => {
  const room = new MemoryRoom({ tenants: 0, definitions: 10, periods: 0 });
  const leave = room.join(held(8));
  room.join(held(8));
  expect(room.quota('definitions', 8)).toBe(3);
  leave();
  expect(room.quota('definitions', 8)).toBeNull();
});
