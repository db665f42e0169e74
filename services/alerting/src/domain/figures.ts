import { type AlertDetails, type EpochNs, formatInstant, formatPicos, oneOff, type Period, parsePicos } from '@bursar/contracts';
import { type BudgetState, blockPoint, effectiveLimit, nextStep, percentUsed } from '@bursar/contracts/folds';

/** What was spent in a period, and what was carried into it, in picos of the budget's currency. */
export type Standing = Readonly<{ period: Period | null; spend: bigint; carried: bigint }>;

/** The part of an alert's details that any alert of a budget has, by its definition and grants at `now`. */
export const figuresOf = (budget: BudgetState, { period, spend, carried }: Standing, now: EpochNs): AlertDetails => {
  const { definition, controls, currency } = budget;
  const limit = effectiveLimit(definition, controls, now, carried);
  const block = definition.enforcement.mode === 'block' ? blockPoint(definition, limit) : null;
  return {
    currency,
    currentSpend: formatPicos(spend),
    limit: limit === null ? null : formatPicos(limit),
    percentUsed: percentUsed(spend, limit),
    periodStart: period === null ? null : formatInstant(period.start),
    periodEnd: period === null ? null : formatInstant(period.end),
    ...onceOf(definition),
    timezone: definition.period.timezone,
    blockPoint: block === null ? null : formatPicos(block),
    next: nextStep(definition, controls, spend, limit, now),
  };
};

/** As the event that tells them says; what only the definition knows is null where that is not known any more. */
export const toldFigures = (
  told: Pick<AlertDetails, 'currency' | 'currentSpend' | 'limit' | 'percentUsed' | 'periodStart' | 'periodEnd'>,
  budget: BudgetState | null,
  now: EpochNs,
): AlertDetails => {
  if (budget === null) return { ...told, timezone: null, blockPoint: null, next: null };
  const { definition, controls } = budget;
  const limit = told.limit === null ? null : parsePicos(told.limit);
  const block = definition.enforcement.mode === 'block' ? blockPoint(definition, limit) : null;
  return {
    ...told,
    ...onceOf(definition),
    timezone: definition.period.timezone,
    blockPoint: block === null ? null : formatPicos(block),
    next: nextStep(definition, controls, parsePicos(told.currentSpend ?? '0'), limit, now),
  };
};

const onceOf = ({ period }: BudgetState['definition']): Pick<AlertDetails, 'oneOff'> => (oneOff(period) === null ? {} : { oneOff: true });
