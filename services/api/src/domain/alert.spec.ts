import type { CrossingData } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { toAlert } from './alert.js';

const crossing: CrossingData = {
  budgetId: 'b1',
  budgetName: 'Monthly',
  scope: 'team:ml',
  periodStart: '2026-03-01T00:00:00Z',
  periodEnd: '2026-04-01T00:00:00Z',
  threshold: '65%',
  definition: { percent: '65', severity: 'warning', actions: ['notify'] },
  episode: 1,
  spend: '650.5',
  limit: '1000',
  currency: 'EUR',
  percentUsed: '65.05',
  causePosition: 7,
};
const alert = (data: Partial<CrossingData>) => toAlert('a1', { ...crossing, ...data }, '2026-03-10T00:00:00Z', '3:9');

test('an alert says what was crossed, with the figures of the crossing', () => {
  expect(alert({})).toEqual({
    id: 'a1',
    budgetId: 'b1',
    budgetName: 'Monthly',
    scope: 'team:ml',
    event: 'threshold.crossed',
    type: 'WARNING',
    severity: 'warning',
    percent: 65,
    percentUsed: '65.05',
    currentSpend: '650.5',
    limit: '1000',
    currency: 'EUR',
    actions: ['notify'],
    message: 'Warning: Budget at 65.1% (650.5/1000.0 EUR)',
    acknowledged: false,
    acknowledgedBy: null,
    acknowledgedAt: null,
    periodStart: '2026-03-01T00:00:00Z',
    periodEnd: '2026-04-01T00:00:00Z',
    createdAt: '2026-03-10T00:00:00Z',
    clearedAt: null,
    suppressed: false,
    source: 'bursar',
    revision: null,
    position: '3:9',
  });
});

describe('type', () => {
  test.each([
    [{ percent: '10', severity: 'info' }, '1000', 'INFO'],
    [{ percent: '99.99', severity: 'critical' }, '1000', 'CRITICAL'],
    [{ percent: '100', severity: 'critical' }, '1000', 'LIMIT'],
    [{ percent: '120.5', severity: 'warning' }, '1000', 'LIMIT'],
    [{ amount: '999.99', severity: 'warning' }, '1000', 'WARNING'],
    [{ amount: '1000', severity: 'warning' }, '1000', 'LIMIT'],
    [{ amount: '1000', severity: 'warning' }, null, 'WARNING'],
  ] as const)('%j of a limit of %s is %s', (threshold, limit, type) => {
    expect(alert({ definition: { ...threshold, actions: ['notify'] }, limit }).type).toBe(type);
  });
});

describe('message', () => {
  test.each([
    ['65.04', '65.0'],
    ['65.05', '65.1'],
    ['99.95', '100.0'],
    ['100.00', '100.0'],
    ['1250.19', '1250.2'],
  ])('%s %% is said as %s%%', (percentUsed, said) => {
    expect(alert({ percentUsed }).message).toContain(`Budget at ${said}% `);
  });
  test('without a limit it says the spend alone', () => {
    const data = {
      definition: { amount: '400', severity: 'info', actions: ['notify'] },
      limit: null,
      percentUsed: null,
      spend: '400',
    } as const;
    expect(alert(data as unknown as Partial<CrossingData>).message).toBe('Info: Budget at 400.0 EUR');
    expect(alert(data as unknown as Partial<CrossingData>)).not.toHaveProperty('percent');
  });
  test('a limit of zero has no percentage', () => {
    expect(alert({ limit: '0', percentUsed: null, spend: '0.0125' }).message).toBe('Warning: Budget over its limit (0.0125/0.0 EUR)');
  });
});
