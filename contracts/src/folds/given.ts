import type { BudgetDefinition } from '../events/budget.js';
import type { EventOf, LedgerEvent, LedgerEventType } from '../events/registry.js';
import type { Price } from '../events/tenant.js';
import { evolveDefinitions, TenantDefinitions } from './definitions.js';

/** For specs: events as the ledger would hold them, and the definitions a history of them makes. */
export const TENANT = 'acme';

/** An event of the tenant at a position, recorded a second after the one before. */
export const recorded = <T extends LedgerEventType>(type: T, position: number, data: EventOf<T>['data']): EventOf<T> =>
  ({
    partition: 0,
    position,
    stream: `spec-${TENANT}`,
    revision: position - 1,
    id: `event-${position}`,
    type,
    recordedAt: new Date(Date.UTC(2025, 0, 1) + position * 1000).toISOString(),
    meta: { tenant: TENANT },
    data,
  }) as EventOf<T>;

export const given = (...events: readonly LedgerEvent[]): TenantDefinitions => {
  const definitions = new TenantDefinitions(TENANT);
  for (const event of events) evolveDefinitions(definitions, event);
  return definitions;
};

export const registered = (position: number, scope: string, ...parents: readonly string[]): EventOf<'ScopeRegistered'> =>
  recorded('ScopeRegistered', position, { scope, parents: [...parents] });

export const moved = (position: number, scope: string, ...parents: readonly string[]): EventOf<'ScopeMoved'> =>
  recorded('ScopeMoved', position, { scope, parents: [...parents] });

export const BUDGET: BudgetDefinition = {
  name: 'AI Operations',
  scope: 'team:ml',
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'monthly', timezone: 'UTC', recurring: true },
  thresholds: [
    { percent: '80', severity: 'warning', actions: ['notify'] },
    { percent: '95', severity: 'critical', actions: ['notify'] },
  ],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 110, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};

export const budgetCreated = (position: number, budgetId: string, changes: Partial<BudgetDefinition> = {}): EventOf<'BudgetCreated'> =>
  recorded('BudgetCreated', position, { budgetId, definition: { ...BUDGET, ...changes } });

export const budgetChanged = (position: number, budgetId: string, changes: Partial<BudgetDefinition>): EventOf<'BudgetChanged'> =>
  recorded('BudgetChanged', position, { budgetId, definition: { ...BUDGET, ...changes } });

export const price = (unit: string, amount: string, more: Partial<Price> = {}): Price => ({
  meter: 'llm.tokens',
  match: { model: 'm' },
  unit,
  amount,
  per: 1,
  ...more,
});

export const priceList = (
  position: number,
  prices: readonly Price[],
  { effectiveFrom = '2024-01-01T00:00:00Z', currency = 'USD' }: { effectiveFrom?: string; currency?: string } = {},
): EventOf<'PriceListCreated'> =>
  recorded('PriceListCreated', position, { listId: `list-${position}`, name: 'spec', currency, effectiveFrom, prices: [...prices] });

export const rateSet = (position: number, from: string, to: string, rate: string, effectiveFrom: string): EventOf<'ExchangeRateSet'> =>
  recorded('ExchangeRateSet', position, { from, to, rate, effectiveFrom });

export const usage = (position: number, data: Partial<EventOf<'UsageRecorded'>['data']> = {}): EventOf<'UsageRecorded'> =>
  recorded('UsageRecorded', position, {
    id: `u-${position}`,
    source: 'spec',
    occurredAt: '2025-01-15T10:00:00Z',
    scopes: ['user:alice'],
    status: 'succeeded',
    ...data,
  });

export const voided = (
  position: number,
  { id, position: at, revision, recordedAt, data }: EventOf<'UsageRecorded'>,
): EventOf<'UsageVoided'> =>
  recorded('UsageVoided', position, { eventId: id, reason: 'twice', original: { position: at, revision, recordedAt, data } });
