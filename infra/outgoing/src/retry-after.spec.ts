import { expect, test } from '@jest/globals';
import { readRetryAfter } from './retry-after.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['0', 0],
  [' 120 ', 120],
  ['1000000000', 86_400],
  ['999999999999999', 86_400],
  ['Thu, 01 Jan 2026 00:01:30 GMT', 90],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400],
  ['1e9', null],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['', null],
  [undefined, null],
])('IN-G26: Retry-After %p is %p s', (header, seconds) => expect(readRetryAfter(header, NOW)).toBe(seconds));
