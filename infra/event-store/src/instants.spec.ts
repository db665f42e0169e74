import { expect, test } from '@jest/globals';
import { formatMicros } from './instants.js';

test.each([
  [0, '1970-01-01T00:00:00.000000Z'],
  [1, '1970-01-01T00:00:00.000001Z'],
  [1_790_000_000_000_000, '2026-09-21T14:13:20.000000Z'],
  [1_789_999_999_999_999, '2026-09-21T14:13:19.999999Z'],
  [Number.MAX_SAFE_INTEGER, '2255-06-05T23:47:34.740991Z'],
])('%d µs is %s', (micros, text) => {
  expect(formatMicros(micros)).toBe(text);
});
