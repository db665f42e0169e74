import { autoPauseEventId, balanceStream, type EventOf, formatPicos, type LedgerEvent, parseInstant } from '@bursar/contracts';
import { ARMED, AUTO_PAUSE, blockPoint, hasBreaker, stepBreaker, trippingSpend } from '@bursar/contracts/folds';
import type { Judgement, PeriodState } from './budget-fold.js';
import type { Changes } from './changes.js';
import { emit } from './emitted.js';

type Cause = Pick<LedgerEvent, 'id' | 'meta' | 'position' | 'recordedAt'>;

/** Trips the breaker of a budget with `autoPause` whose current period has reached its block point, or arms it again. Another period's rests. */
export const decidePause = (period: PeriodState, judge: Judgement, cause: Cause, changes: Changes): void => {
  const now = parseInstant(cause.recordedAt);
  const known = period.thresholds.get(AUTO_PAUSE);
  if (period.period.start > now || period.period.end <= now) return;
  if (known === undefined && !judge.state.definition.enforcement.autoPause) return;
  const step = stepBreaker(inputOf(period, judge, cause), known ?? ARMED);
  if (step === null) return;
  period.thresholds.set(AUTO_PAUSE, step.state);
  changes.touchedThreshold(period, AUTO_PAUSE);
  if (step.trips) say(period, judge, step.state.episode, cause, changes);
};

/** The smallest spend at which the breaker has something to say; null: none now. */
export const nextTrip = (period: PeriodState, judge: Judgement, cause: Cause): bigint | null => {
  const { definition } = judge.state;
  if (!definition.enforcement.autoPause || (period.thresholds.get(AUTO_PAUSE) ?? ARMED).crossed) return null;
  return hasBreaker(inputOf(period, judge, cause)) ? trippingSpend(definition, judge.limit) : null;
};

const inputOf = ({ period, sums: { spend } }: PeriodState, { state, limit }: Judgement, { recordedAt }: Cause) => ({
  definition: state.definition,
  controls: state.controls,
  limit,
  period,
  spend,
  now: parseInstant(recordedAt),
});

/** By the outbox, into the stream of what this service emits: it holds from its own position on, live and rebuilt alike. */
const say = (period: PeriodState, { state, limit }: Judgement, episode: number, cause: Cause, changes: Changes): void => {
  const { tenant } = period.budget;
  const { budgetId, definition } = state;
  const data: EventOf<'BudgetPaused'>['data'] = {
    budgetId,
    reason: null,
    automatic: {
      periodStart: period.startText,
      periodEnd: period.endText,
      episode,
      spend: formatPicos(period.sums.spend),
      blockPoint: formatPicos(blockPoint(definition, limit) ?? 0n),
      causePosition: cause.position,
    },
  };
  const id = autoPauseEventId(tenant, budgetId, period.startText, episode);
  changes.emitted.push(emit('BudgetPaused', balanceStream(tenant, budgetId), id, data, cause));
};
