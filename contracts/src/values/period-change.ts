import type { PeriodDefinition } from '../events/budget.js';
import { canonicalJson } from './canonical.js';
import { type EpochNs, formatInstant, parseInstant } from './instant.js';
import { periodAt } from './period.js';
import { withoutResets } from './period-reset.js';

/**
 * The definition to store when a budget's periods become `after` at `now`. Another time zone of recurring periods begins with the next
 * period, so that the current one stays what people were told it is (RELIABILITY IN-D14); any other change holds at once, for all
 * periods. `after` is as asked for: whatever it says of `preceding` is ignored. The same rule again answers `before` itself. Resets by hand
 * are no part of a rule: they go on under any, and are in no answer.
 */
export const changePeriod = (cut: PeriodDefinition, after: PeriodDefinition, now: EpochNs): PeriodDefinition => {
  const before = withoutResets(cut);
  const asked = ownRule(after);
  if (isSame(ownRule(before), asked)) return before;
  if (!asked.recurring || asked.kind === 'custom' || !isSame(inZone(before), inZone(asked))) return asked;
  const current = periodAt(cut, now);
  if (current === null) return asked;
  const settled = inForce(before, now);
  if (isSame(ownRule(settled), asked)) return settled;
  return { ...asked, preceding: { until: formatInstant(current.end), period: settled } };
};

/** Does `after` leave every period up to the one that holds `now` as `before` had it? Then no usage has to be counted anew. */
export const continuesPeriods = (before: PeriodDefinition, after: PeriodDefinition, now: EpochNs): boolean => {
  const settled = inForce(withoutResets(before), now);
  for (let each: PeriodDefinition | undefined = after; each !== undefined; each = each.preceding?.period) {
    if (isSame(withoutResets(each), settled) || isSame(withoutResets(each), withoutResets(before))) return true;
  }
  return false;
};

/** The definition without what held before it. */
const ownRule = ({ preceding: _, resets: __, ...rule }: PeriodDefinition): PeriodDefinition => rule;

/** A change that has not begun yet leaves no trace once it is changed again. */
const inForce = (definition: PeriodDefinition, now: EpochNs): PeriodDefinition =>
  definition.preceding !== undefined && now < parseInstant(definition.preceding.until) ? definition.preceding.period : definition;

const inZone = (definition: PeriodDefinition): PeriodDefinition => ({ ...ownRule(definition), timezone: '' });
const isSame = (a: PeriodDefinition, b: PeriodDefinition): boolean => canonicalJson(a) === canonicalJson(b);
