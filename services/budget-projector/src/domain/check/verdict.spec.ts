import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import type { Standing } from './standing.js';
import { refusalOf, sentencesOf } from './verdict.js';

const AMOUNT = parsePicos('10');
const CURE = 'Contact your administrator to increase budget or wait for the reset.';

/** Of a budget of 500 USD of which 505 are spent. */
const said = (reserved: string, thresholds: readonly object[] = []): readonly string[] => {
  const definition = { name: 'ML', scope: 'team:ml', thresholds, enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false } };
  const state = { budgetId: 'b', currency: 'USD', definition, controls: { pause: null, overrides: [] } };
  const spent = { limit: parsePicos('500'), spend: parsePicos('505'), reserved: parsePicos(reserved), amount: AMOUNT, counting: false };
  const standing = { state, period: { start: 0n, end: 2n }, unit: AMOUNT, ...spent } as unknown as Standing;
  const refusal = refusalOf(standing, { about: { scopes: ['team:ml'] }, amount: AMOUNT, currency: 'USD' }, 1n);
  if (refusal === null) throw new Error('it lets this pass');
  return [sentencesOf(refusal), sentencesOf(refusal, CURE)];
};

test.each([
  ['0', ''],
  ['200', ' Reserved by calls in progress: $200.00.'],
])('with %s held the sentence is the same, and what is held is said at its end', (reserved, end) => {
  const sentence = 'Budget exceeded for team:ml. Current: $505.00, Limit: $500.00.';
  expect(said(reserved)).toEqual([`${sentence}${end}`, `${sentence} ${CURE}${end}`]);
});

test('of a threshold that blocks all spend too', () => {
  const sentence = 'Budget ML blocks all spend from 80% on. Current: $505.00, Limit: $500.00.';
  const end = 'Reserved by calls in progress: $200.00.';
  const blocksAll = [{ percent: '80', severity: 'critical', actions: ['block-all'] }];
  expect(said('200', blocksAll)).toEqual([`${sentence} ${end}`, `${sentence} ${CURE} ${end}`]);
});
