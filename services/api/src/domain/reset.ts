import { type BudgetDefinition, parseInstant, periodAt, type WireMoney, withoutResets } from '@bursar/contracts';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';

/** A new spending window from now on, and perhaps another limit for it. */
export type ResetBudget = Readonly<{
  type: 'ResetBudget';
  budgetId: string;
  reason: string | null;
  /** In the budget's currency when none is named; null: the limit stays. */
  newLimit: Readonly<{ amount: string; currency?: string }> | null;
  /** As the projection had it when the reset was asked for. */
  previousSpend: string;
  /** RFC 3339, UTC. */
  now: string;
}>;

/**
 * The open period ends where the event is recorded; what is in it stays. Throws {@link Rejection} `no_open_period` where there is none:
 * before or after the only period of a one-off budget, and once it is no longer valid.
 */
export const resetBudget = (
  command: ResetBudget,
  { budgetId, definition }: Readonly<{ budgetId: string; definition: BudgetDefinition }>,
): readonly NewEvent<'BudgetReset' | 'BudgetChanged'>[] => {
  mustBeOpen(definition, command.now);
  const { reason, previousSpend } = command;
  const newLimit = command.newLimit === null ? null : inCurrencyOf(definition, command.newLimit);
  const { amount: previousLimit, currency } = definition.limit;
  const data = { budgetId, reason, previousLimit, previousSpend, newLimit: newLimit?.amount ?? null, currency };
  const reset = { type: 'BudgetReset', data } as const;
  if (newLimit === null || newLimit.amount === previousLimit) return [reset];
  return [reset, { type: 'BudgetChanged', data: { budgetId, definition: withoutCuts({ ...definition, limit: newLimit }) } }];
};

/** A definition as it is stored: where resets cut its periods is said by their own events. */
export const withoutCuts = (definition: BudgetDefinition): BudgetDefinition => ({
  ...definition,
  period: withoutResets(definition.period),
});

const mustBeOpen = ({ period, validFrom, validUntil }: BudgetDefinition, now: string): void => {
  const at = parseInstant(now);
  const isValid = (validFrom === null || parseInstant(validFrom) <= at) && (validUntil === null || at < parseInstant(validUntil));
  if (!isValid || periodAt(period, at) === null) throw new Rejection('no_open_period', 'No period of the budget is open now.');
};

const inCurrencyOf = (
  { limit }: BudgetDefinition,
  { amount, currency = limit.currency }: NonNullable<ResetBudget['newLimit']>,
): WireMoney => {
  if (currency !== limit.currency) throw new Rejection('currency', "Has to be the budget's currency.", '/newLimit/currency');
  return { amount, currency };
};
