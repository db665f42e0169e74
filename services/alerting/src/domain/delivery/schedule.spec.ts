import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_TRIES, retryDelayMs } from './schedule.js';

describe('the schedule', () => {
  test('is that of API.md', () => {
    const steps = Array.from({ length: MAX_TRIES }, (_, index) => retryDelayMs(index + 1, 0.5, null));
    expect(steps).toEqual([2_000, 8_000, 50_000, 240_000, 1_500_000, 5_400_000, 21_600_000, 57_600_000, null]);
    expect(steps.reduce<number>((sum, step) => sum + (step ?? 0), 0)).toBe(86_400_000);
  });

  test('stays within 20 %, and waits as long as it is asked to, a day at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MAX_TRIES - 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.option(fc.integer({ min: 0, max: 2_000_000_000 })),
        (tries, random, retryAfter) => {
          const mean = retryDelayMs(tries, 0.5, null) ?? 0;
          const delay = retryDelayMs(tries, random, retryAfter) ?? 0;
          const asked = Math.min(retryAfter ?? 0, 86_400) * 1_000;
          expect(delay).toBeGreaterThanOrEqual(Math.max(Math.floor(mean * 0.8), asked));
          expect(delay).toBeLessThanOrEqual(Math.max(Math.ceil(mean * 1.2), asked));
        },
      ),
    );
  });

  test('IN-G26: Retry-After of 1e9 s is a day', () => expect(retryDelayMs(1, 0.5, 1e9)).toBe(86_400_000));
});
