import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BufferedRange } from './buffered-range.js';
import { RangeBuffer } from './range-buffer.js';

const range = (first: number, last: number, bytes = 10): BufferedRange => ({
  first,
  last,
  bytes,
  link: new Uint8Array(32),
  trusted: false,
  events: () => [],
  linkAfter: () => null,
});

const anyRange = fc
  .record({ first: fc.integer({ min: 1, max: 40 }), length: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 30 }) })
  .map(({ first, length, bytes }) => range(first, first + length - 1, bytes));

describe('a range buffer', () => {
  test('gives back what follows without a gap, at most about as many as asked for', () => {
    const buffer = new RangeBuffer(1_000, { used: 0, limit: 1_000 });
    for (const each of [range(7, 9), range(1, 2), range(3, 6), range(11, 12)]) buffer.offer(each, 0);
    expect(buffer.take(0, 6).map(({ last }) => last)).toEqual([2, 6]);
    expect(buffer.take(6, 1).map(({ last }) => last)).toEqual([9]);
    expect(buffer.take(9, 100)).toEqual([]);
    expect(buffer.firstAfter(9)).toBe(11);
  });

  test('refuses what does not fit in it, or in what all buffers share', () => {
    const budget = { used: 0, limit: 50 };
    const buffer = new RangeBuffer(30, budget);
    const other = new RangeBuffer(30, budget);
    expect([buffer.offer(range(1, 1, 30), 0), buffer.offer(range(2, 2, 1), 0)]).toEqual([true, false]);
    expect([other.offer(range(1, 1, 21), 0), other.offer(range(1, 1, 20), 0)]).toEqual([false, true]);
  });

  test('says since when something beyond is here, and whether what it forgets in part had what follows', () => {
    const buffer = new RangeBuffer(1_000, { used: 0, limit: 1_000 });
    expect(buffer.knownSince(0)).toBe(Number.POSITIVE_INFINITY);
    for (const [first, last, now] of [
      [9, 9, 20],
      [6, 8, 30],
      [12, 12, 50],
    ] as const)
      buffer.offer(range(first, last), now);
    expect([buffer.knownSince(5), buffer.knownSince(9)]).toEqual([20, 50]);
    expect([buffer.prune(5), buffer.prune(7), buffer.prune(9)]).toEqual([false, true, false]);
    expect(buffer.knownSince(0)).toBe(50);
    expect([buffer.clear(), buffer.knownSince(0)]).toEqual([1, Number.POSITIVE_INFINITY]);
  });

  test('never loses count of its bytes, whatever it is given and asked', () => {
    const step = fc.oneof(
      fc.record({ offer: anyRange }),
      fc.record({ take: fc.nat(40), most: fc.integer({ min: 1, max: 10 }) }),
      fc.record({ prune: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = { used: 0, limit: 200 };
        const buffer = new RangeBuffer(200, budget);
        for (const each of steps) {
          if ('offer' in each) buffer.offer(each.offer, 0);
          else if ('take' in each) buffer.take(each.take, each.most);
          else {
            buffer.prune(each.prune);
            expect(buffer.has(each.prune)).toBe(false);
          }
          expect(budget.used).toBeGreaterThanOrEqual(0);
          expect(budget.used).toBeLessThanOrEqual(budget.limit);
        }
        buffer.prune(100);
        expect(budget.used).toBe(0);
        expect(buffer.firstAfter(0)).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});
