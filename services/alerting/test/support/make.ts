import { type BudgetDefinition, balanceStream, budgetStream, type CrossingData, usageStream } from '@bursar/contracts';
import { type Told, told } from './events.js';

export const definition = (more: Partial<BudgetDefinition> = {}): BudgetDefinition => ({
  name: 'AI monthly',
  scope: 'team:ml',
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'monthly', timezone: 'Europe/Berlin', recurring: true },
  thresholds: [
    { percent: '80', severity: 'warning', actions: ['notify'] },
    { percent: '95', severity: 'critical', actions: ['notify', 'restrict-models'], allowedModels: ['gpt-4o-mini'] },
  ],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 110, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
  ...more,
});

export const budgetCreated = (tenant: string, budgetId: string, more: Partial<BudgetDefinition> = {}): Told =>
  told({ type: 'BudgetCreated', stream: budgetStream(tenant, budgetId), tenant, data: { budgetId, definition: definition(more) } });

export const crossing = (budgetId: string, more: Partial<CrossingData> = {}): CrossingData => ({
  budgetId,
  budgetName: 'AI monthly',
  scope: 'team:ml',
  periodStart: '2026-11-01T00:00:00Z',
  periodEnd: '2026-12-01T00:00:00Z',
  threshold: '80%',
  definition: { percent: '80', severity: 'warning', actions: ['notify'] },
  episode: 1,
  spend: '800',
  limit: '1000',
  currency: 'EUR',
  percentUsed: '80.00',
  causePosition: 1,
  ...more,
});

export const crossed = (tenant: string, budgetId: string, more: Partial<CrossingData> = {}): Told =>
  told({ type: 'ThresholdCrossed', stream: balanceStream(tenant, budgetId), tenant, data: crossing(budgetId, more) });

export const cleared = (tenant: string, budgetId: string, more: Partial<CrossingData> = {}): Told =>
  told({
    type: 'ThresholdCleared',
    stream: balanceStream(tenant, budgetId),
    tenant,
    data: crossing(budgetId, { spend: '700', percentUsed: '70.00', ...more }),
  });

export const paused = (tenant: string, budgetId: string, reason: string | null): Told =>
  told({ type: 'BudgetPaused', stream: budgetStream(tenant, budgetId), tenant, data: { budgetId, reason } });
export const resumed = (tenant: string, budgetId: string): Told =>
  told({ type: 'BudgetResumed', stream: budgetStream(tenant, budgetId), tenant, data: { budgetId, reason: null } });
export const overrideGranted = (tenant: string, budgetId: string): Told =>
  told({
    type: 'OverrideGranted',
    stream: budgetStream(tenant, budgetId),
    tenant,
    data: {
      budgetId,
      overrideId: 'o1',
      amount: { amount: '50', currency: 'EUR' },
      enforcement: null,
      expiresAt: '2099-01-01T00:00:00Z',
      reason: 'launch',
    },
  });

const PERIOD = {
  budgetName: 'AI monthly',
  scope: 'team:ml',
  periodStart: '2026-10-31T23:00:00Z',
  periodEnd: '2026-11-30T23:00:00Z',
  currency: 'EUR',
};

export const periodEnded = (tenant: string, budgetId: string): Told =>
  told({
    type: 'PeriodEnded',
    stream: balanceStream(tenant, budgetId),
    tenant,
    data: {
      ...PERIOD,
      budgetId,
      spend: '960',
      events: 12,
      failedSpend: '1',
      failedEvents: 1,
      reserved: '0',
      limit: '1000',
      percentUsed: '96.00',
      rolledOver: '0',
      through: 5,
      cause: 'boundary',
      endedAt: '2026-11-30T23:00:00.5Z',
    },
  });

/** `n` tells one from another; all are of one hour. */
export const refused = (tenant: string, budgetId: string, n: number): Told =>
  told({
    type: 'UsageRefused',
    stream: usageStream(tenant),
    tenant,
    data: {
      decisionId: `d${n}`,
      reservationId: null,
      scopes: ['team:ml'],
      amount: { amount: '5', currency: 'EUR' },
      code: 'budget_exceeded',
      budgetId,
      budgetName: 'AI monthly',
      scope: 'team:ml',
      periodStart: PERIOD.periodStart,
      currentSpend: { amount: '1100', currency: 'EUR' },
      reserved: { amount: '0', currency: 'EUR' },
      limit: { amount: '1000', currency: 'EUR' },
      blockPoint: { amount: '1100', currency: 'EUR' },
      refusedAt: `2026-11-26T10:0${n}:00Z`,
      count: 1,
      position: 1,
    },
  });
