import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fairShare } from './fair-share.js';

const heldBy = (...counts: readonly number[]): Map<string, number> => new Map(counts.map((count, index) => [`r${10 + index}`, count]));
const sharesOf = (partitions: number, held: ReadonlyMap<string, number>): readonly number[] =>
  [...held.keys()].map((me) => fairShare(partitions, held, me));

describe('the fair share', () => {
  test.each([
    ['one takes all', [0], [16]],
    ['who comes gets its part', [16, 0, 0], [6, 5, 5]],
    ['a fifth of sixteen is not left empty-handed', [4, 4, 4, 4, 0], [4, 3, 3, 3, 3]],
    ['what is fair already stays as it is', [5, 6, 5], [5, 6, 5]],
    ['more replicas than partitions', Array(18).fill(0), [...Array(16).fill(1), 0, 0]],
  ])('%s', (_, counts, shares) => {
    expect(sharesOf(16, heldBy(...counts))).toEqual(shares);
  });

  test('all shares together are all partitions, and no two differ by more than one', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), (partitions, counts) => {
        const shares = sharesOf(partitions, heldBy(...counts));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    ));

  test('in whatever order replicas look, they come to fair shares and then nothing moves any more', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat(5)),
        (partitions, wanted, order) => {
          const held = new Map<string, number>();
          let free = partitions;
          wanted.forEach((count, index) => {
            held.set(`r${index}`, Math.min(count, free));
            free -= Math.min(count, free);
          });
          /** One replica lets go of its surplus, or takes what is free. */
          const look = (me: string): boolean => {
            const has = held.get(me) ?? 0;
            const next = Math.min(fairShare(partitions, held, me), has + free);
            held.set(me, next);
            free -= next - has;
            return next !== has;
          };
          for (let turn = 0; turn < 30; turn += 1) look(`r${order.next().value % wanted.length}`);
          for (let round = 0; round < 4; round += 1) for (const me of held.keys()) look(me);
          expect(free).toBe(0);
          expect(Math.max(...held.values()) - Math.min(...held.values())).toBeLessThanOrEqual(1);
          expect([...held.keys()].filter(look)).toEqual([]);
        },
      ),
    ));
});
