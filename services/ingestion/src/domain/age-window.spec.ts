import { NS_PER_SECOND } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { AgeWindow } from './age-window.js';

const DAY = 86_400n * NS_PER_SECOND;
const NOW = 1_764_000_000n * NS_PER_SECOND;
const window = new AgeWindow(35 * 86_400);

test.each([
  ['IN-D3 5 min ahead', 300n * NS_PER_SECOND, null],
  ['IN-D3 1 ns more', 300n * NS_PER_SECOND + 1n, 'future'],
  ['now', 0n, null],
  ['IN-D4 35 d ago', -35n * DAY, null],
  ['IN-D4 35 d and the time it travelled', -35n * DAY - NS_PER_SECOND + 1n, null],
  ['IN-D4 35 d 1 s ago', -35n * DAY - NS_PER_SECOND, 'too_old'],
])('%s', (_id, offset, verdict) => expect(window.judge(NOW + offset, NOW)).toBe(verdict));
