import { expect, test } from '@jest/globals';
import { upcast } from './registry.js';
import { UsageRefused } from './usage.js';

test('a refusal of the first version, which always had an amount, is one of the second', () => {
  const first = {
    decisionId: 'd',
    reservationId: null,
    scopes: ['team:a'],
    amount: { amount: '7', currency: 'USD' },
    code: 'budget_exceeded',
    budgetId: 'b',
    budgetName: 'B',
    scope: 'team:a',
    periodStart: '2026-11-01T00:00:00Z',
    currentSpend: { amount: '4', currency: 'USD' },
    reserved: { amount: '0', currency: 'USD' },
    limit: { amount: '10', currency: 'USD' },
    blockPoint: { amount: '10', currency: 'USD' },
    refusedAt: '2026-11-26T10:00:00Z',
    count: 1,
    position: 7,
  };
  expect(UsageRefused.data.parse(upcast('UsageRefused', 1, first))).toEqual(first);
});
