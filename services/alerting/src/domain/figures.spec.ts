import type { BudgetDefinition } from '@bursar/contracts';
import { parseInstant } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import { NO_CONTROLS } from '@bursar/contracts/folds';
import { expect, test } from '@jest/globals';
import { figuresOf, toldFigures } from './figures.js';

const NOW = parseInstant('2026-11-26T10:00:00Z');
const MONTHLY = { kind: 'monthly', timezone: 'UTC', recurring: true } as const;
const CUSTOM = { kind: 'custom', timezone: 'UTC', start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' } as const;

const budgetOf = (period: BudgetDefinition['period']): BudgetState => {
  const definition = { period, limit: { amount: '10', currency: 'EUR' }, thresholds: [], enforcement: { mode: 'notify' } };
  return { budgetId: 'b', currency: 'EUR', definition, controls: NO_CONTROLS } as unknown as BudgetState;
};
const TOLD = { currency: 'EUR', currentSpend: '4', limit: '10', percentUsed: '40.00', periodStart: null, periodEnd: null };

test.each<[string, BudgetDefinition['period'], true | undefined]>([
  ['recurs', MONTHLY, undefined],
  ['is one month', { ...MONTHLY, recurring: false, anchor: '2026-11-01T00:00:00Z' }, true],
  ['has a start and an end', { ...CUSTOM, recurring: false }, true],
])('an alert says that its budget is one-off where its period %s', (_how, period, oneOff) => {
  const budget = budgetOf(period);
  expect(figuresOf(budget, { period: null, spend: 0n, carried: 0n }, NOW).oneOff).toBe(oneOff);
  expect(toldFigures(TOLD, budget, NOW).oneOff).toBe(oneOff);
});

test('of a budget that nobody knows an alert does not say it', () => {
  expect(toldFigures(TOLD, null, NOW)).not.toHaveProperty('oneOff');
});
