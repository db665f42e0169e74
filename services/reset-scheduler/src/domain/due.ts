import { type EpochNs, formatInstant, isResetAt, oneOff, type Period, parseInstant } from '@bursar/contracts';
import { periodOf } from './periods.js';
import { ended, type Timer, without } from './timer.js';

/** Something that the clock alone has decided, to be said in the ledger. */
export type Fact =
  | Readonly<{ fact: 'override_expired'; at: EpochNs; overrideId: string }>
  /** `at`: when it ended, sooner than its boundary when the budget itself did. `next`: the period that opens with it. */
  | Readonly<{ fact: 'period_ended'; at: EpochNs; period: Period; cause: 'boundary' | 'reset' | 'expired'; next: Period | null }>
  | Readonly<{ fact: 'budget_expired'; at: EpochNs; validUntil: string }>;

/** When the clock has something to say next; null: never, unless something is changed. */
export const nextDue = (timer: Timer): EpochNs | null => nextFact(timer)?.at ?? null;

/**
 * What is due at `now`, in the order in which it happened, at most `most` facts; and the timer once that is said. Pure: a scheduler that
 * slept says the same, later.
 */
export const takeDue = (timer: Timer, now: EpochNs, most: number): Readonly<{ facts: readonly Fact[]; timer: Timer }> => {
  const facts: Fact[] = [];
  let current = timer;
  while (facts.length < most) {
    const fact = nextFact(current);
    if (fact === null || fact.at > now) break;
    facts.push(fact);
    current = said(current, fact);
  }
  return { facts, timer: current };
};

/** The earliest; at one instant overrides end first, then the period, then the budget. */
const nextFact = (timer: Timer): Fact | null => {
  const facts = [...overrideEnds(timer), periodEnd(timer), budgetEnd(timer)].filter((fact) => fact !== null);
  return facts.reduce<Fact | null>((first, fact) => (first === null || fact.at < first.at ? fact : first), null);
};

const overrideEnds = ({ rule }: Timer): readonly Fact[] =>
  rule.overrides.map(({ overrideId, expiresAt }) => ({ fact: 'override_expired', at: parseInstant(expiresAt), overrideId }));

const budgetEnd = ({ rule: { validUntil }, expired }: Timer): Fact | null =>
  validUntil === null || validUntil === expired ? null : { fact: 'budget_expired', at: parseInstant(validUntil), validUntil };

const periodEnd = ({ rule, openStart }: Timer): Fact | null => {
  const period = openStart === null ? null : periodOf(rule.period, parseInstant(openStart));
  if (period === null) return null;
  const until = rule.validUntil === null ? null : parseInstant(rule.validUntil);
  if (until !== null && until <= period.start) return null;
  if (until !== null && until < period.end) return { fact: 'period_ended', at: until, period, cause: 'expired', next: null };
  const cause = isResetAt(rule.period, period.end) && !isLast(rule.period, period) ? 'reset' : 'boundary';
  const next = until === period.end ? null : periodOf(rule.period, period.end);
  return { fact: 'period_ended', at: period.end, period, cause, next };
};

/** A one-off period ends by itself, whatever was recorded at that instant. */
const isLast = (definition: Timer['rule']['period'], { end }: Period): boolean => oneOff(definition)?.end === end;

const said = (timer: Timer, fact: Fact): Timer => {
  switch (fact.fact) {
    case 'override_expired':
      return { ...timer, rule: { ...timer.rule, overrides: without(timer.rule, fact.overrideId) } };
    case 'period_ended':
      return ended(timer, formatInstant(fact.period.end));
    case 'budget_expired':
      return { ...timer, expired: fact.validUntil };
  }
};
