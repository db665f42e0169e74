import { type EventOf, type Period, parseInstant } from '@bursar/contracts';
import { type Figures, figuresOf, type PeriodEndedData } from './statement.js';
import type { View } from './view.js';

export type RestatedData = EventOf<'PeriodRestated'>['data'];
/** What was said last of an ended period, and how often. */
export type Stated = Readonly<{ ended: PeriodEndedData; last: Figures; restatements: number }>;

/** The figures that make a statement another one; a view's position and percentages derived from them do not. */
const TOLD = ['spend', 'events', 'failedSpend', 'failedEvents', 'limit', 'rolledOver'] as const satisfies readonly (keyof Figures)[];

/**
 * What has to be said anew of an ended period; null: what was said still holds. `next` is the period that what was left went into.
 * The difference between the two `rolledOver` is the entry that compensates what had been carried.
 */
export const restate = (view: View, { ended, last, restatements }: Stated, period: Period, next: Period | null): RestatedData | null => {
  const figures = figuresOf(view, period, parseInstant(ended.endedAt), next);
  if (TOLD.every((figure) => figures[figure] === last[figure])) return null;
  const { budgetId, budgetName, scope, periodStart, periodEnd, currency } = ended;
  return {
    budgetId,
    budgetName,
    scope,
    periodStart,
    periodEnd,
    currency,
    ...figures,
    restatement: restatements + 1,
    previousSpend: last.spend,
    previousRolledOver: last.rolledOver,
  };
};
