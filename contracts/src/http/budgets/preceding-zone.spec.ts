import { expect, test } from '@jest/globals';
import type { BudgetDefinition } from '../../events/budget.js';
import { parseInstant } from '../../values/instant.js';
import { changePeriod } from '../../values/period-change.js';
import { mergeBudget } from './patch.js';

const berlin: BudgetDefinition['period'] = { kind: 'monthly', timezone: 'Europe/Berlin', recurring: true };
const current: BudgetDefinition = {
  name: 'AI',
  scope: 'team:ml',
  limit: { amount: '10', currency: 'EUR' },
  period: changePeriod(berlin, { ...berlin, timezone: 'Asia/Tokyo' }, parseInstant('2025-01-15T00:00:00Z')),
  thresholds: [],
  levels: {},
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};

test.each([
  ['its name', { name: 'Other' }, 'Asia/Tokyo'],
  ['its zone once more', { period: { timezone: 'UTC' } }, 'UTC'],
])('IN-D14 a budget whose zone was changed can still be patched: %s', (_, patch, timezone) => {
  const merged = mergeBudget(current, patch);
  expect(merged.ok && merged.value.period).toEqual({ kind: 'monthly', timezone, recurring: true });
});
