import {
  balanceStream,
  type CrossingData,
  type EpochNs,
  formatPicos,
  type LedgerEvent,
  parseDecimal,
  parseInstant,
  parsePicos,
  type ThresholdDefinition,
  thresholdEventId,
} from '@bursar/contracts';
import {
  ARMED,
  AUTO_PAUSE,
  afterTransition,
  decideThresholds,
  HUNDRED_PERCENT,
  PERCENT_SCALE,
  percentUsed,
  type Transition,
  thresholdKey,
} from '@bursar/contracts/folds';
import type { Judgement, PeriodState } from './budget-fold.js';
import type { Changes, Clearing } from './changes.js';
import { decidePause, nextTrip } from './decide-pause.js';
import { emit } from './emitted.js';

type Cause = Pick<LedgerEvent, 'id' | 'meta' | 'position' | 'recordedAt'>;

/**
 * After usage: spend only grew, so below the next crossing there is nothing to decide until an override ends. What is carried over
 * may have changed with any late usage: there it is looked at every time.
 */
export const decideAfterUsage = (period: PeriodState, cause: Cause, changes: Changes): void => {
  const { nextCrossing, judgedUntil } = period;
  const holds = judgedUntil === null || parseInstant(cause.recordedAt) < judgedUntil;
  if (holds && !period.budget.rollsOver && (nextCrossing === null || (nextCrossing !== undefined && period.sums.spend < nextCrossing)))
    return;
  decideCrossings(period, cause, changes);
};

/** Armed thresholds that are reached cross, crossed ones that are not any more clear: each said once, as a new event. */
export const decideCrossings = (period: PeriodState, cause: Cause, changes: Changes): void => {
  const { budget } = period;
  // Before its past is counted nothing is known, and what ended before the budget existed was nobody's limit.
  if (budget.countedPosition === null) return;
  if (period.period.end <= budget.state.createdAt) {
    period.nextCrossing = null;
    return;
  }
  const judge = budget.judging(period.period, parseInstant(cause.recordedAt));
  forgetUnlisted(period, judge, cause, changes);
  for (const transition of decideThresholds(judge.state.definition.thresholds, period.thresholds, period.sums.spend, judge.limit)) {
    period.thresholds.set(transition.key, afterTransition(transition));
    changes.touchedThreshold(period, transition.key);
    say(period, judge, transition, cause, changes);
  }
  decidePause(period, judge, cause, changes);
  period.nextCrossing = lower(nextCrossing(period, judge), nextTrip(period, judge, cause));
  period.judgedUntil = judgedUntil(period, judge, cause);
};

/** A breaker belongs to the current period: when a period begins it has to be looked at again. */
const judgedUntil = ({ period: { start } }: PeriodState, { state, until }: Judgement, { recordedAt }: Cause): EpochNs | null =>
  state.definition.enforcement.autoPause && start > parseInstant(recordedAt) ? lower(start, until) : until;

const lower = (a: bigint | null, b: bigint | null): bigint | null => (a === null ? b : b === null || a < b ? a : b);

/** A threshold that was removed is forgotten without a word; if it returns, it is armed, and its episodes go on. */
const forgetUnlisted = (period: PeriodState, { state }: Judgement, cause: Cause, changes: Changes): void => {
  if (period.thresholds.size === 0) return;
  const listed = new Set(state.definition.thresholds.map(thresholdKey));
  for (const [key, { crossed, episode }] of period.thresholds) {
    if (!crossed || listed.has(key) || key === AUTO_PAUSE) continue;
    period.thresholds.set(key, { crossed: false, episode: episode + 1 });
    changes.touchedThreshold(period, key);
    changes.cleared.push(clearing(period, key, episode, cause));
  }
};

/** In the ledger, by the outbox, and in the rows that status and alerts read: one transaction writes both. */
const say = (
  period: PeriodState,
  { state: { budgetId, definition, currency }, limit }: Judgement,
  { threshold, key, change, episode }: Transition,
  cause: Cause,
  changes: Changes,
): void => {
  const { tenant } = period.budget;
  const data: CrossingData = {
    budgetId,
    budgetName: definition.name,
    scope: definition.scope,
    periodStart: period.startText,
    periodEnd: period.endText,
    threshold: key,
    definition: threshold,
    episode,
    spend: formatPicos(period.sums.spend),
    limit: limit === null ? null : formatPicos(limit),
    currency,
    percentUsed: percentUsed(period.sums.spend, limit),
    causePosition: cause.position,
  };
  const id = thresholdEventId(change, tenant, budgetId, period.startText, key, episode);
  const type = change === 'crossed' ? 'ThresholdCrossed' : 'ThresholdCleared';
  changes.emitted.push(emit(type, balanceStream(tenant, budgetId), id, data, cause));
  if (change === 'crossed') changes.addCrossed({ tenant, alertId: id, data, at: cause.recordedAt });
  else changes.cleared.push(clearing(period, key, episode, cause));
};

const clearing = ({ budget, startText }: PeriodState, threshold: string, episode: number, { recordedAt }: Cause): Clearing => ({
  tenant: budget.tenant,
  budgetId: budget.id,
  periodStart: startText,
  threshold,
  episode,
  at: recordedAt,
});

/** The smallest spend at which an armed threshold is reached; null when no spend reaches one. */
const nextCrossing = (period: PeriodState, { state, limit }: Judgement): bigint | null => {
  let lowest: bigint | null = null;
  for (const threshold of state.definition.thresholds) {
    if ((period.thresholds.get(thresholdKey(threshold)) ?? ARMED).crossed) continue;
    const spend = reachingSpend(threshold, limit);
    if (spend !== null && (lowest === null || spend < lowest)) lowest = spend;
  }
  return lowest;
};

const reachingSpend = ({ percent, amount }: ThresholdDefinition, limit: bigint | null): bigint | null => {
  if (limit !== null && limit <= 0n) return 1n;
  if (amount !== undefined) return parsePicos(amount);
  if (limit === null) return null;
  return (parseDecimal(percent ?? '0', PERCENT_SCALE) * limit + HUNDRED_PERCENT - 1n) / HUNDRED_PERCENT;
};
