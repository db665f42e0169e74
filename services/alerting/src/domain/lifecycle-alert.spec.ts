import type { BudgetDefinition, EventOf, LedgerEvent, LedgerEventType } from '@bursar/contracts';
import { evolveDefinitions, findBudget, TenantDefinitions } from '@bursar/contracts/folds';
import { describe, expect, test } from '@jest/globals';
import type { LifecycleCause } from './cause.js';
import { lifecycleAlert } from './lifecycle-alert.js';

const budgetId = 'b-1';
const definition: BudgetDefinition = {
  name: 'AI monthly',
  scope: 'team:ml',
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'monthly', timezone: 'UTC', recurring: true },
  thresholds: [],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: true },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};
const ofPeriod = { periodStart: '2026-11-01T00:00:00Z', periodEnd: '2026-12-01T00:00:00Z' };

let positions = 0;
const recorded = <T extends LedgerEventType>(type: T, data: EventOf<T>['data'], recordedAt = '2026-11-26T10:00:00Z'): EventOf<T> => {
  positions += 1;
  const meta = { tenant: 'acme', actor: 'user:ana' };
  const place = { partition: 0, position: positions, stream: 'spec', revision: positions - 1, id: `event-${positions}` };
  return { ...place, type, recordedAt, meta, data } as EventOf<T>;
};

/** What is told of the last event, to whom knows those before it. */
const toldOf = (before: readonly LedgerEvent[], cause: LifecycleCause) => {
  const definitions = new TenantDefinitions('acme');
  for (const event of [...before, cause]) evolveDefinitions(definitions, event);
  return lifecycleAlert(cause, { budget: findBudget(definitions, budgetId), standing: null, at: cause.recordedAt });
};

describe('the end of a period that was paused automatically', () => {
  const created = recorded('BudgetCreated', { budgetId, definition });
  const byItself = recorded('BudgetPaused', {
    budgetId,
    reason: null,
    automatic: { ...ofPeriod, episode: 1, spend: '1000', blockPoint: '1000', causePosition: 1 },
  });
  const resumed = (): LifecycleCause =>
    recorded('BudgetResumed', { budgetId, reason: null, automatic: { periodStart: ofPeriod.periodStart } }, ofPeriod.periodEnd);

  test('resumes it', () => {
    expect(toldOf([created, byItself], resumed())).toMatchObject({
      event: 'budget.resumed',
      type: 'RESUMED',
      message: 'Resumed: the period it was paused in has ended.',
      details: { automatic: true },
    });
  });

  test('leaves it paused where it was paused by hand too, and says so', () => {
    const byHand = recorded('BudgetPaused', { budgetId, reason: 'audit' });
    const told = toldOf([created, byItself, byHand], resumed());
    expect(told).toMatchObject({
      event: 'budget.paused',
      type: 'PAUSED',
      severity: 'info',
      message: 'Still paused by hand (audit): the period that had paused it automatically has ended.',
      details: { automatic: false, reason: 'audit', by: 'user:ana' },
    });
  });

  test('resumes it where that pause was lifted before', () => {
    const byHand = recorded('BudgetPaused', { budgetId, reason: 'audit' });
    const lifted = recorded('BudgetResumed', { budgetId, reason: null });
    expect(toldOf([created, byItself, byHand, lifted], resumed())).toMatchObject({ event: 'budget.resumed', type: 'RESUMED' });
  });
});

test('B10 an override that ended by itself is told of', () => {
  const created = recorded('BudgetCreated', { budgetId, definition });
  const expiresAt = '2026-11-26T12:00:00Z';
  const amount = { amount: '100', currency: 'EUR' };
  const granted = recorded('OverrideGranted', { budgetId, overrideId: 'o-1', amount, enforcement: null, expiresAt, reason: 'launch' });
  const expired = recorded('OverrideExpired', { budgetId, overrideId: 'o-1', expiresAt }, expiresAt);
  expect(toldOf([created, granted], expired)).toMatchObject({
    event: 'override.expired',
    type: 'OVERRIDE_EXPIRED',
    details: { limit: '1000', override: { overrideId: 'o-1', expiresAt } },
  });
});
