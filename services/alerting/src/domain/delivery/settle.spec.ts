import { describe, expect, test } from '@jest/globals';
import { MAX_TRIES } from './schedule.js';
import { afterAttempt, type SendOutcome, settle, slotsOf } from './settle.js';

const answered = (status: number, retryAfterS?: number): SendOutcome => ({
  outcome: status < 300 ? 'delivered' : 'failed',
  status,
  detail: null,
  ...(retryAfterS !== undefined && { retryAfterS }),
});

describe('after an attempt', () => {
  test.each([
    ['200', answered(200), 1, { status: 'delivered' }],
    ['IN-G26: 302', answered(302), 1, { status: 'pending', delayMs: 2_000 }],
    ['400', answered(400), 2, { status: 'pending', delayMs: 8_000 }],
    ['500', answered(500), 3, { status: 'pending', delayMs: 50_000 }],
    ['500, the last time', answered(500), MAX_TRIES, { status: 'dead' }],
    ['IN-G26: 410', answered(410), 1, { status: 'channel_disabled' }],
    ['IN-G26: 429 for 1e9 s', answered(429, 1e9), 1, { status: 'pending', delayMs: 86_400_000 }],
    ['no answer', { outcome: 'no_answer', status: null, detail: null }, 1, { status: 'pending', delayMs: 2_000 }],
    ['a refused target', { outcome: 'refused', status: null, detail: 'x' }, MAX_TRIES + 3, { status: 'dead' }],
  ] as const)('%s', (_, outcome, tries, settled) => expect(settle(outcome, tries, 0.5)).toEqual(settled));
});

describe('the breaker', () => {
  test('opens at the tenth failure in a row and lets one attempt through within 10 s', () => {
    expect(afterAttempt(8, false, 0)).toEqual({ failures: 9, openMs: null });
    for (const random of [0, 0.5, 0.999]) {
      const { failures, openMs } = afterAttempt(9, false, random);
      expect(failures).toBe(10);
      expect(openMs).toBeGreaterThanOrEqual(8_000);
      expect(openMs).toBeLessThanOrEqual(10_000);
    }
    expect([slotsOf(9), slotsOf(10), slotsOf(200)]).toEqual([2, 1, 1]);
  });

  test('stays open while attempts fail, and closes with the first that goes well', () => {
    expect(afterAttempt(10, false, 0.5)).toEqual({ failures: 11, openMs: 9_000 });
    expect(afterAttempt(11, true, 0.5)).toEqual({ failures: 0, openMs: null });
  });
});
