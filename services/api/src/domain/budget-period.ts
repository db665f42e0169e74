import type { BudgetDefinition, EventOf } from '@bursar/contracts';
import { type EpochNs, formatInstant, formatPicos, type Period, parseInstant, parsePicos } from '@bursar/contracts';
import { type BudgetControls, effectiveLimit, type Terms, termsBefore } from '@bursar/contracts/folds';

type Ended = EventOf<'PeriodEnded'>['data'];
type Restated = EventOf<'PeriodRestated'>['data'] & Readonly<{ recordedAt: string }>;

export type PeriodFacts = Readonly<{
  definition: BudgetDefinition;
  controls: BudgetControls;
  terms: readonly Terms[];
  period: Period;
  balance: Readonly<{ spend: string; events: number }> | null;
  /** What was carried into it. */
  carried: bigint;
  /** What the ledger says of its end. */
  ended: Ended | null;
  /** Oldest first. */
  restatements: readonly Restated[];
  now: EpochNs;
}>;

/** A period as the API shows it. `spend` and `rolledOver` are as of now; `closingSpend` is what was said when it ended. */
export const showPeriod = (facts: PeriodFacts): object => {
  const { definition, terms, period, balance, carried, ended, restatements, now } = facts;
  const isEnded = ended !== null || now >= period.end;
  const said = restatements.at(-1) ?? ended;
  const until = now < period.end ? now + 1n : period.end;
  // By the terms of its own time, also where nobody has said that it ended.
  const amount = (isEnded ? termsBefore(terms, until)?.limit : definition.limit.amount) ?? null;
  const then = { ...definition, limit: { ...definition.limit, amount } };
  return {
    start: formatInstant(period.start),
    end: formatInstant(period.end),
    status: isEnded ? 'ended' : 'open',
    spend: formatPicos(parsePicos(balance?.spend ?? '0')),
    closingSpend: ended?.spend ?? null,
    currency: definition.limit.currency,
    limit: amount,
    effectiveLimit: said === null ? text(effectiveLimit(then, facts.controls, until - 1n, carried)) : said.limit,
    rolledOver: formatPicos(carried),
    events: balance?.events ?? 0,
    restatements: restatements.map(showRestatement),
    endedAt: ended?.endedAt ?? null,
    cause: ended?.cause ?? null,
  };
};

const showRestatement = ({ restatement, spend, previousSpend, rolledOver, previousRolledOver, recordedAt }: Restated): object => ({
  restatement,
  spend,
  previousSpend,
  rolledOver,
  previousRolledOver,
  compensation: formatPicos(parsePicos(rolledOver) - parsePicos(previousRolledOver)),
  at: formatInstant(parseInstant(recordedAt)),
});

const text = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
