import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bucket } from './bucket.js';

test('E6 a thousand go at once, the rest by the rate', () => {
  const bucket = new Bucket(1_000, 200, 0);
  expect([bucket.take(600, 0), bucket.take(600, 0), bucket.take(600, 0)]).toEqual([600, 400, 0]);
  expect(bucket.waitMs(100, 0)).toBe(500);
  expect(bucket.take(600, 500)).toBe(100);
  // It never holds more than the burst, however long nothing was due.
  expect([bucket.take(5_000, 3_600_000), bucket.take(1, 3_600_000)]).toEqual([1_000, 0]);
});

test('what was not used may be used', () => {
  const bucket = new Bucket(10, 1, 0);
  bucket.take(10, 0);
  bucket.giveBack(4);
  expect(bucket.take(10, 0)).toBe(4);
});

test('in no span are more taken than burst and rate allow, whatever is asked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ most: fc.integer({ min: 1, max: 500 }), pauseMs: fc.integer({ min: 0, max: 300 }) }), { maxLength: 60 }),
      (asks) => {
        const bucket = new Bucket(100, 50, 0);
        let now = 0;
        let taken = 0;
        for (const { most, pauseMs } of asks) {
          now += pauseMs;
          taken += bucket.take(most, now);
          expect(taken).toBeLessThanOrEqual(100 + (now / 1_000) * 50);
        }
      },
    ),
  );
});
