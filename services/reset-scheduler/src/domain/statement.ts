import { type EpochNs, type EventOf, formatInstant, formatPicos, type Period } from '@bursar/contracts';
import { effectiveLimit, percentUsed } from '@bursar/contracts/folds';
import type { Fact } from './due.js';
import { carriedInto, type View } from './view.js';

type PeriodFact = Extract<Fact, { fact: 'period_ended' }>;
export type PeriodEndedData = EventOf<'PeriodEnded'>['data'];
export type PeriodStartedData = EventOf<'PeriodStarted'>['data'];

/** A period's figures as of the view's position. */
export type Figures = Pick<
  PeriodEndedData,
  'spend' | 'events' | 'failedSpend' | 'failedEvents' | 'reserved' | 'limit' | 'percentUsed' | 'rolledOver' | 'through'
>;

/** What a period comes to: its limit is the one in force just before it ended, with what was carried into it. */
export const figuresOf = (view: View, period: Period, endedAt: EpochNs, next: Period | null): Figures => {
  const { spend, events, failedSpend, failedEvents, reserved } = view.sums(period.start);
  const then = view.before(endedAt);
  const limit = effectiveLimit(then.definition, then.controls, endedAt - 1n, carriedInto(view, period));
  return {
    spend: formatPicos(spend),
    events,
    failedSpend: formatPicos(failedSpend),
    failedEvents,
    reserved: formatPicos(reserved),
    limit: limit === null ? null : formatPicos(limit),
    percentUsed: percentUsed(spend, limit),
    rolledOver: formatPicos(next === null ? 0n : carriedInto(view, next)),
    through: view.through,
  };
};

export const periodEnded = (view: View, { period, at, cause, next }: PeriodFact): PeriodEndedData => ({
  ...headOf(view, period, at),
  ...figuresOf(view, period, at, next),
  cause,
  endedAt: formatInstant(at),
});

/** The period that opens where the other ended. Its limit is that of its first instant. */
export const periodStarted = (view: View, next: Period): PeriodStartedData => {
  const then = view.before(next.start + 1n);
  const carried = carriedInto(view, next);
  const limit = effectiveLimit(then.definition, then.controls, next.start, carried);
  return {
    ...headOf(view, next, next.start + 1n),
    limit: limit === null ? null : formatPicos(limit),
    rolledOver: formatPicos(carried),
  };
};

const headOf = (view: View, period: Period, instant: EpochNs): PeriodStartedDataHead => {
  const { definition } = view.before(instant);
  return {
    budgetId: view.budgetId,
    budgetName: definition.name,
    scope: definition.scope,
    periodStart: formatInstant(period.start),
    periodEnd: formatInstant(period.end),
    currency: definition.limit.currency,
    timeZoneData: view.timeZoneData,
  };
};
type PeriodStartedDataHead = Omit<PeriodStartedData, 'limit' | 'rolledOver'>;
