import { type BudgetDefinition, parseInstant } from '@bursar/contracts';
import { NO_CONTROLS } from '@bursar/contracts/folds';
import { expect, test } from '@jest/globals';
import { type PeriodFacts, showPeriod } from './budget-period.js';

const rollover = { mode: 'none' } as const;
const definition = { limit: { amount: '20', currency: 'USD' }, rollover } as unknown as BudgetDefinition;
const facts: PeriodFacts = {
  definition,
  controls: NO_CONTROLS,
  terms: [
    { from: '2026-01-10T00:00:00Z', limit: '10', currency: 'USD', rollover },
    { from: '2026-03-10T00:00:00Z', limit: '20', currency: 'USD', rollover },
  ],
  period: { start: parseInstant('2026-02-01T00:00:00Z'), end: parseInstant('2026-03-01T00:00:00Z') },
  balance: null,
  carried: 3n * 10n ** 12n,
  ended: null,
  restatements: [],
  now: parseInstant('2026-03-20T00:00:00Z'),
};

test.each([
  ['that ended has the limits of its own time, said or not', facts.period, '10', '13'],
  [
    'from before the first definition has those of the first',
    { start: parseInstant('2025-12-01T00:00:00Z'), end: parseInstant('2026-01-01T00:00:00Z') },
    '10',
    '13',
  ],
  ['that is open has those of now', { start: parseInstant('2026-03-01T00:00:00Z'), end: parseInstant('2026-04-01T00:00:00Z') }, '20', '23'],
])('a period %s', (_, period, limit, effectiveLimit) => {
  expect(showPeriod({ ...facts, period })).toMatchObject({ limit, effectiveLimit });
});
