import type { PeriodDefinition } from '../events/budget.js';
import { formatInstant, parseInstant } from './instant.js';
import { periodAt } from './period.js';

/**
 * The period with the anchor it needs to be computed from: a rolling one starts at `startsAt` (API.md "Budgets"), a one-off calendar
 * period is the one that holds `startsAt`. Everything else stays as given. `startsAt` is RFC 3339, UTC. A fold calls it with the
 * `recordedAt` of `BudgetCreated`, so that the store's clock decides and the period starts when the answer says it was created.
 */
export const anchorPeriod = (period: PeriodDefinition, startsAt: string): PeriodDefinition => {
  if (period.anchor !== undefined || period.kind === 'custom') return period;
  if (period.kind === 'rolling') return { ...period, anchor: startsAt };
  if (period.recurring) return period;
  const only = periodAt({ ...period, recurring: true }, parseInstant(startsAt));
  return only === null ? period : { ...period, anchor: formatInstant(only.start) };
};
