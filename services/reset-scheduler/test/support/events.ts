import { type BudgetDefinition, type EventOf, formatInstant, type LedgerEventType } from '@bursar/contracts';
import type { Fact } from '../../src/domain/due.js';
import type { TimerEvent } from '../../src/domain/timer.js';

export const TENANT = 'acme';
export const BUDGET: BudgetDefinition = {
  name: 'AI Operations',
  scope: 'team:ml',
  limit: { amount: '100', currency: 'USD' },
  period: { kind: 'monthly', timezone: 'UTC', recurring: true },
  thresholds: [{ percent: '80', severity: 'warning', actions: ['notify'] }],
  levels: {},
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};

/** An event as a fold sees it, recorded at an instant (RFC 3339). */
export const recorded = <T extends LedgerEventType>(type: T, position: number, recordedAt: string, data: EventOf<T>['data']): EventOf<T> =>
  ({
    partition: 0,
    position,
    stream: 'spec',
    revision: position - 1,
    id: `event-${position}`,
    type,
    recordedAt,
    meta: { tenant: TENANT },
    data,
  }) as EventOf<T>;

/** What the clock has decided of a budget as the ledger has it, figures aside. */
export const said = (budgetId: string, fact: Fact, position: number, recordedAt: string): TimerEvent => {
  switch (fact.fact) {
    case 'override_expired':
      return recorded('OverrideExpired', position, recordedAt, {
        budgetId,
        overrideId: fact.overrideId,
        expiresAt: formatInstant(fact.at),
      });
    case 'budget_expired':
      return recorded('BudgetExpired', position, recordedAt, { budgetId, validUntil: fact.validUntil });
    case 'period_ended':
      return recorded('PeriodEnded', position, recordedAt, {
        budgetId,
        budgetName: '',
        scope: 'team:ml',
        periodStart: formatInstant(fact.period.start),
        periodEnd: formatInstant(fact.period.end),
        currency: 'USD',
        spend: '0',
        events: 0,
        failedSpend: '0',
        failedEvents: 0,
        reserved: '0',
        limit: null,
        percentUsed: null,
        rolledOver: '0',
        through: 1,
        cause: fact.cause,
        endedAt: formatInstant(fact.at),
      });
  }
};
