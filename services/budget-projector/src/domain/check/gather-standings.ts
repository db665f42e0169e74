import { type EpochNs, type Period, PICOS_PER_UNIT } from '@bursar/contracts';
import { type BudgetState, budgetAppliesAt, budgetsOnPath, chargedPath, convert, tenantSettings } from '@bursar/contracts/folds';
import type { BudgetFold } from '../budget-fold.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Question, Scene, Standing } from './standing.js';

type Key = Readonly<{ budget: BudgetFold; period: Period }>;

export type Gathered =
  | Readonly<{ found: 'all'; scene: Scene }>
  /** These periods are not in memory. */
  | Readonly<{ found: 'some'; missing: readonly Key[] }>
  /** There is no budget of that id. */
  | Readonly<{ found: 'none' }>;

/** Where every applicable budget stands at `now`, as folded to `position`, nearest scope first. Reads memory, changes nothing. */
export const gatherStandings = (tenant: TenantFold, question: Question, now: EpochNs, position: number): Gathered => {
  const { definitions } = tenant.history;
  const asking = 'budgetId' in question.about ? tenant.budgets.get(question.about.budgetId) : undefined;
  if ('budgetId' in question.about && asking === undefined) return { found: 'none' };
  const currency = question.currency ?? asking?.state.currency ?? tenantSettings(definitions, position).currency;
  const asked = { picos: question.amount, currency };

  const keys: Key[] = [];
  for (const budget of applicable(tenant, question, asking, position)) {
    const period = budgetAppliesAt(budget.state, now) ? budget.periodAt(now) : null;
    if (period !== null) keys.push({ budget, period });
  }
  const missing = keys.filter(isMissing);
  if (missing.length > 0) return { found: 'some', missing };

  const unit = { picos: PICOS_PER_UNIT, currency };
  const inCurrencyOf = (state: BudgetState, money: typeof asked): bigint | null => {
    if (state.currency === money.currency) return money.picos;
    const picos = convert(definitions, money, state.currency, now, position);
    return picos === 'rate_missing' ? null : picos;
  };
  const standings = keys.map(({ budget, period }): Standing => {
    const { state } = budget;
    const worth = inCurrencyOf(state, unit) ?? 1n;
    return {
      state,
      period,
      limit: budget.limitAt(period, now),
      spend: budget.periods.get(period.start)?.sums.spend ?? 0n,
      reserved: budget.heldIn(period.start),
      counting: budget.countedPosition === null,
      incomplete: tenant.isIncomplete(budget.id),
      amount: inCurrencyOf(state, asked),
      unit: worth > 0n ? worth : 1n,
    };
  });
  return { found: 'all', scene: { standings, asked, now } };
};

/** Its period, or one that carries into it, is not in memory. */
const isMissing = ({ budget, period }: Key): boolean => {
  if (!budget.periods.has(period.start)) return true;
  const chain = budget.chainBefore(period);
  return chain.length > 0 && !chain.every(({ start }) => budget.periods.has(start));
};

/** Of the scopes named and all above them; of a budget: itself, whatever its filter, then its scopes' others and those above. */
const applicable = (tenant: TenantFold, question: Question, asking: BudgetFold | undefined, position: number): readonly BudgetFold[] => {
  const { definitions } = tenant.history;
  const scopes = 'scopes' in question.about ? question.about.scopes : (asking?.state.scopes ?? []);
  const onPath = budgetsOnPath(definitions, chargedPath(definitions, scopes, position), question, position);
  const found: BudgetFold[] = asking === undefined ? [] : [asking];
  for (const { budgetId } of onPath) {
    const budget = tenant.budgets.get(budgetId);
    if (budget !== undefined && budget !== asking) found.push(budget);
  }
  return found;
};
