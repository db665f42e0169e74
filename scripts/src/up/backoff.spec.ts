import { expect, test } from '@jest/globals';
import { Backoff, FIRST_DELAY_MS } from './backoff.ts';

test('the first restart leaves time to be ready within 2 s', () => expect(FIRST_DELAY_MS).toBeLessThanOrEqual(500));

test('a child that never gets ready is restarted ever less often, at least every 30 s', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 10 }, () => backoff.delayAfter(0));
  expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
});

test.each([
  [4_999, 800],
  [5_000, FIRST_DELAY_MS],
])('after it was ready for %i ms its next restart waits %i ms', (readyForMs, expected) => {
  const backoff = new Backoff();
  backoff.delayAfter(0);
  backoff.delayAfter(0);
  expect(backoff.delayAfter(readyForMs)).toBe(expected);
});
