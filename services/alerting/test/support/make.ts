import { type BudgetDefinition, balanceStream, budgetStream, type CrossingData } from '@bursar/contracts';
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
