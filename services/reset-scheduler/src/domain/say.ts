import {
  balanceStream,
  contentHash,
  EVENT_DEFINITIONS,
  type EventMeta,
  type EventOf,
  expiryEventId,
  periodEventId,
} from '@bursar/contracts';
import type { Fact } from './due.js';
import { type PeriodEndedData, periodEnded, periodStarted } from './statement.js';
import type { Timer } from './timer.js';
import type { View } from './view.js';

type SaidType = 'PeriodEnded' | 'PeriodStarted' | 'PeriodRestated' | 'BudgetResumed' | 'OverrideExpired' | 'BudgetExpired';

/** An event about to be appended. Its content hash covers its id alone: said twice, with later figures, the first stands. */
export type Saying = Readonly<{
  stream: string;
  id: string;
  type: SaidType;
  version: number;
  data: string;
  meta: string;
  hash: Uint8Array;
}>;

export const say = <T extends SaidType>(type: T, tenant: string, budgetId: string, id: string, data: EventOf<T>['data']): Saying => {
  const meta: EventMeta = { tenant, actor: 'reset-scheduler', via: 'scheduler' };
  return {
    stream: balanceStream(tenant, budgetId),
    id,
    type,
    version: EVENT_DEFINITIONS.get(type)?.version ?? 1,
    data: JSON.stringify(data),
    meta: JSON.stringify(meta),
    hash: contentHash({ id }),
  };
};

/** What one fact is in the ledger: an ended period with its reaction, in one append, so that neither is ever without the other. */
export const sayFact = ({ tenant, budgetId, rule }: Timer, fact: Fact, view: View): readonly Saying[] => {
  switch (fact.fact) {
    case 'override_expired': {
      const { overrideId, expiresAt } = grantOf(rule, fact.overrideId);
      const id = expiryEventId('override', tenant, budgetId, overrideId);
      return [say('OverrideExpired', tenant, budgetId, id, { budgetId, overrideId, expiresAt })];
    }
    case 'budget_expired': {
      const { validUntil } = fact;
      return [say('BudgetExpired', tenant, budgetId, expiryEventId('budget', tenant, budgetId, validUntil), { budgetId, validUntil })];
    }
    case 'period_ended': {
      const defined = rule.definedPosition ?? undefined;
      const data = periodEnded(view, fact);
      const started = fact.next === null ? null : periodStarted(view, fact.next);
      const idOf = (what: 'ended' | 'started' | 'resumed', start: string): string => periodEventId(what, tenant, budgetId, start, defined);
      return [
        say('PeriodEnded', tenant, budgetId, idOf('ended', data.periodStart), data),
        ...(isLatched(view, data) ? [say('BudgetResumed', tenant, budgetId, idOf('resumed', data.periodStart), resumed(data))] : []),
        ...(started === null ? [] : [say('PeriodStarted', tenant, budgetId, idOf('started', started.periodStart), started)]),
      ];
    }
  }
};

/** The automatic pause belongs to the period that ended; a manual one survives it (PRODUCT B8). */
const isLatched = ({ now }: View, { periodStart }: PeriodEndedData): boolean => now.controls.automatic?.periodStart === periodStart;

const resumed = ({ budgetId, periodStart }: PeriodEndedData): EventOf<'BudgetResumed'>['data'] => ({
  budgetId,
  reason: null,
  automatic: { periodStart },
});

const grantOf = ({ overrides }: Timer['rule'], overrideId: string): Timer['rule']['overrides'][number] => {
  const grant = overrides.find((override) => override.overrideId === overrideId);
  if (grant === undefined) throw new Error('an override ended that the timer does not have');
  return grant;
};

/** Identifies a restatement: its number within the period. */
export const restatedId = (tenant: string, { budgetId, periodStart }: PeriodEndedData, restatement: number, position: number): string =>
  periodEventId(`restated ${restatement}`, tenant, budgetId, periodStart, position);
