import { NS_PER_MS } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { clockSkew } from './clock-skew.js';

test.each([
  ['in between is none, however long the answer took', 1_000, 61_000, 31_000, 0],
  ['ahead by what is left when the answer could not be faster', 34_000, 34_100, 31_000, 3],
  ['behind', 28_000, 28_500, 31_000, -2.5],
])('F34 %s', (_, before, after, database, seconds) => {
  expect(clockSkew(before, after, BigInt(database) * NS_PER_MS)).toBe(seconds);
});
