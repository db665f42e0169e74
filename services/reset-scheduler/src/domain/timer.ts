import {
  anchorPeriod,
  continuesPeriods,
  type EpochNs,
  type EventOf,
  formatInstant,
  keepResets,
  oneOff,
  type PeriodDefinition,
  parseInstant,
  withReset,
} from '@bursar/contracts';
import { periodOf } from './periods.js';

/** What decides when the clock has something to say of a budget. Plain JSON, as its table keeps it; instants RFC 3339, UTC. */
export type Rule = Readonly<{
  period: PeriodDefinition;
  validFrom: string | null;
  validUntil: string | null;
  /** Position of the definition that the calendar is of; null: the first one. */
  definedPosition: number | null;
  /** Grants whose end was not said yet. */
  overrides: readonly Readonly<{ overrideId: string; expiresAt: string }>[];
}>;

/** One live budget as the scheduler sees it. */
export type Timer = Readonly<{
  tenant: string;
  budgetId: string;
  rule: Rule;
  /** Start of the first period that was not said to have ended, or an instant in it; null: none is left. */
  openStart: string | null;
  /** The `validUntil` that was said to have passed; null: none was. */
  expired: string | null;
}>;

export type TimerEvent = EventOf<
  | 'BudgetCreated'
  | 'BudgetChanged'
  | 'BudgetDeleted'
  | 'BudgetReset'
  | 'OverrideGranted'
  | 'OverrideRevoked'
  | 'OverrideExpired'
  | 'PeriodEnded'
  | 'BudgetExpired'
>;

/** Total: what was never created, or is gone, has no timer and gets none. */
export const evolveTimer = (timer: Timer | null, event: TimerEvent): Timer | null => {
  if (event.type === 'BudgetCreated') return timer ?? created(event);
  if (timer === null || event.type === 'BudgetDeleted') return null;
  const { rule } = timer;
  switch (event.type) {
    case 'BudgetChanged':
      return changed(timer, event);
    case 'BudgetReset':
      return reset(timer, event);
    case 'OverrideGranted': {
      const { overrideId, expiresAt } = event.data;
      return { ...timer, rule: { ...rule, overrides: [...without(rule, overrideId), { overrideId, expiresAt }] } };
    }
    case 'OverrideRevoked':
    case 'OverrideExpired':
      return { ...timer, rule: { ...rule, overrides: without(rule, event.data.overrideId) } };
    case 'PeriodEnded':
      return ended(timer, event.data.periodEnd);
    case 'BudgetExpired':
      return { ...timer, expired: event.data.validUntil };
  }
};

/** The period is said to have ended: the next begins where it does. What was said before changes nothing. */
export const ended = (timer: Timer, periodEnd: string | null): Timer => {
  const { openStart } = timer;
  if (openStart === null || periodEnd === null || parseInstant(periodEnd) <= parseInstant(openStart)) return timer;
  return { ...timer, openStart: periodEnd };
};

export const without = ({ overrides }: Rule, overrideId: string): Rule['overrides'] =>
  overrides.filter((override) => override.overrideId !== overrideId);

const created = ({ data, meta, recordedAt }: EventOf<'BudgetCreated'>): Timer => {
  const { validFrom, validUntil } = data.definition;
  const rule = { period: anchorPeriod(data.definition.period, recordedAt), validFrom, validUntil, definedPosition: null, overrides: [] };
  return { tenant: meta.tenant, budgetId: data.budgetId, rule, openStart: startFrom(rule, parseInstant(recordedAt)), expired: null };
};

/**
 * Another calendar holds at once and for all periods (ADR 0003): the one that holds the change is the first that will end. One that goes
 * on with the periods there were (another limit, a later time zone) goes on where it is.
 */
const changed = (timer: Timer, event: EventOf<'BudgetChanged'>): Timer => {
  const { period, validFrom, validUntil } = event.data.definition;
  const now = parseInstant(event.recordedAt);
  const before = timer.rule;
  const rule = { ...before, period: keepResets(period, before.period), validFrom, validUntil };
  if (continuesPeriods(before.period, rule.period, now)) return { ...timer, rule };
  const other = { ...rule, definedPosition: event.position };
  return { ...timer, rule: other, openStart: startFrom(other, now) };
};

const reset = (timer: Timer, event: EventOf<'BudgetReset'>): Timer => {
  const at = parseInstant(event.recordedAt);
  const rule = { ...timer.rule, period: withReset(timer.rule.period, event.recordedAt, event.position) };
  const { openStart } = timer;
  // Recorded just before the boundary and committed after its end was said: the rest of that period has its own end.
  const isBehind = openStart !== null && parseInstant(openStart) > at;
  return { ...timer, rule, openStart: isBehind ? formatInstant(at) : openStart };
};

/** Of the period that holds the instant, or the validity's beginning if that is later; of a one-off period also when it is still to come. */
const startFrom = (rule: Rule, instant: EpochNs): string | null => {
  const validFrom = rule.validFrom === null ? instant : parseInstant(rule.validFrom);
  const at = validFrom > instant ? validFrom : instant;
  const period = periodOf(rule.period, at);
  if (period !== null) return formatInstant(period.start);
  const only = oneOff(rule.period);
  return only !== null && only.start > at ? formatInstant(only.start) : null;
};
