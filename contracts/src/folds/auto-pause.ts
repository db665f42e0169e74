import type { BudgetDefinition } from '../events/budget.js';
import type { EpochNs } from '../values/instant.js';
import type { Period } from '../values/period.js';
import { automaticPause, type BudgetControls } from './budget-controls.js';
import { blockPoint, isBlocking } from './status.js';
import type { ThresholdState } from './thresholds.js';

/** Where the breaker's state is kept beside that of the thresholds of a period: no threshold has this key. */
export const AUTO_PAUSE = 'autoPause';

/** What the breaker is judged by at `now`, with the effective limit there is then. */
export type BreakerInput = Readonly<{
  definition: BudgetDefinition;
  controls: BudgetControls;
  limit: bigint | null;
  period: Period;
  spend: bigint;
  now: EpochNs;
}>;

/** The budget has a breaker that can trip now: `autoPause` beside `block`, enforced, and the period is the current one. */
export const hasBreaker = ({ definition, controls, period, now }: Omit<BreakerInput, 'limit' | 'spend'>): boolean =>
  definition.enforcement.autoPause && isBlocking(definition, controls, now) && period.start <= now && now < period.end;

/** The smallest spend that trips it, in picos; null: none does. With a limit of zero any spend does. */
export const trippingSpend = (definition: BudgetDefinition, limit: bigint | null): bigint | null => {
  const point = blockPoint(definition, limit);
  return limit !== null && limit <= 0n ? 1n : point;
};

export type BreakerStep = Readonly<{ state: ThresholdState; trips: boolean }>;

/**
 * The breaker after an event; null: as before. It is like a threshold that a fall does not clear: reaching the block point trips it once
 * per episode, and only a fall below arms the next. While the pause holds, reaching it anew says nothing; and after a resume with the
 * spend still there it stays open until the spend was below once.
 */
export const stepBreaker = (input: BreakerInput, { crossed, episode }: ThresholdState): BreakerStep | null => {
  const trip = hasBreaker(input) ? trippingSpend(input.definition, input.limit) : null;
  const isReached = trip !== null && input.spend >= trip;
  if (isReached === crossed) return null;
  if (!isReached) return { state: { crossed: false, episode: episode + 1 }, trips: false };
  return { state: { crossed: true, episode }, trips: automaticPause(input.controls, input.now) === null };
};
