import type { BudgetDefinition } from '../events/budget.js';
import type { EventOf } from '../events/registry.js';
import { canonicalJson } from '../values/canonical.js';
import { type EpochNs, formatInstant, parseInstant } from '../values/instant.js';
import { parsePicos } from '../values/money.js';
import { type Period, periodOffset } from '../values/period.js';
import { isResetAt } from '../values/period-reset.js';

/** What a period is closed by: limit and rollover as they were from an instant on. Plain JSON, as tables keep it. */
export type Terms = Readonly<{
  from: string;
  limit: string | null;
  currency: string;
  rollover: BudgetDefinition['rollover'];
}>;

/** Of one budget, oldest first. The oldest goes when there are more: what is that old is out of reach of any chain that matters. */
const MAX_TERMS = 100;

/** Total. An edit of something else adds nothing. */
export const evolveTerms = (terms: readonly Terms[], event: EventOf<'BudgetCreated' | 'BudgetChanged'>): readonly Terms[] => {
  const { limit, rollover } = event.data.definition;
  const next = { limit: limit.amount, currency: limit.currency, rollover };
  const last = terms.at(-1);
  if (last !== undefined) {
    const { from: _, ...before } = last;
    if (canonicalJson(before) === canonicalJson(next)) return terms;
  }
  return [...terms, { from: formatInstant(parseInstant(event.recordedAt)), ...next }].slice(-MAX_TERMS);
};

/** What a budget carries over depends on so many periods before at most: what was left over, or owed, before them is forgotten. */
export const MAX_ROLLOVER_PERIODS = 12;

/** Can anything have been carried into any period? */
export const rollsOver = (terms: readonly Terms[]): boolean => terms.some(({ rollover }) => rollover.mode !== 'none');

export type RolloverInput = Readonly<{ definition: BudgetDefinition; terms: readonly Terms[]; createdAt: EpochNs }>;

/**
 * The periods whose balances decide what is carried into this one, oldest first: back to where nothing was carried, to a reset by hand
 * (which begins anew), to the budget's creation, or {@link MAX_ROLLOVER_PERIODS}. Empty when nothing can be.
 */
export const rolloverChain = ({ definition, terms, createdAt }: RolloverInput, period: Period): readonly Period[] => {
  const chain: Period[] = [];
  if (!rollsOver(terms)) return chain;
  let next: Period = period;
  while (chain.length < MAX_ROLLOVER_PERIODS && next.start > createdAt && carries(termsBefore(terms, next.start))) {
    if (isResetAt(definition.period, next.start)) break;
    const before = periodOffset(definition.period, next, -1);
    if (before === null) break;
    chain.unshift(before);
    next = before;
  }
  return chain;
};

/**
 * What is carried into the period after the chain, in picos: what was left over (positive) or owed (negative). A pure function of the
 * balances before, so it needs no event: it holds from the boundary on, whether or not any scheduler ran, and late usage changes it.
 * `usedOf`: what was spent; for whoever lets spend pass, with what is held still: it may be spent in that period yet, and is not left over.
 */
export const rolledOver = (
  terms: readonly Terms[],
  currency: string,
  chain: readonly Period[],
  usedOf: (period: Period) => bigint,
): bigint => chain.reduce((carried, period) => carry(termsBefore(terms, period.end), currency, carried, usedOf(period)), 0n);

/** From one period into the next, by the terms in force at its end. An override is room for a while, not an amount that was given. */
export const carry = (terms: Terms | undefined, currency: string, carried: bigint, spend: bigint): bigint => {
  if (terms === undefined || terms.limit === null || terms.currency !== currency) return 0n;
  const { mode, cap } = terms.rollover;
  const left = parsePicos(terms.limit) + carried - spend;
  if (left < 0n) return mode === 'debt' || mode === 'both' ? left : 0n;
  if (mode !== 'unused' && mode !== 'both') return 0n;
  const most = cap === undefined ? left : parsePicos(cap);
  return left < most ? left : most;
};

const carries = (terms: Terms | undefined): boolean => terms !== undefined && terms.rollover.mode !== 'none';

/** In force just before the boundary. */
export const termsBefore = (terms: readonly Terms[], boundary: EpochNs): Terms | undefined =>
  terms.findLast(({ from }) => parseInstant(from) < boundary) ?? terms[0];
