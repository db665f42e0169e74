import type { EpochNs } from '@bursar/contracts';
import type { BudgetFold } from '../budget-fold.js';
import type { Changes } from '../changes.js';
import type { Hold } from './hold.js';
import type { UndecidedHolds } from './undecided.js';

/** A tenant, as far as its holds are concerned. `holds`: every open one is among them. */
type Holding = Readonly<{ budgets: ReadonlyMap<string, BudgetFold>; holds: ReadonlyMap<string, Hold>; undecided: UndecidedHolds }>;

/** The hold takes room in its budgets, each in the period in which it was granted. `changes` null: the tables say so already. */
export const hold = (tenant: Holding, one: Hold, changes: Changes | null): void => move(tenant, one, 1n, changes);

/** The room is free again. */
export const free = (tenant: Holding, one: Hold, changes: Changes): void => move(tenant, one, -1n, changes);

const move = (tenant: Holding, one: Hold, sign: 1n | -1n, changes: Changes | null): void => {
  const { grant } = one;
  if (grant === null) return;
  for (const { budgetId, picos } of grant.amounts) {
    const budget = tenant.budgets.get(budgetId);
    if (budget === undefined) continue; // deleted meanwhile
    place(budget, grant.facts.grantedAt, sign * picos, changes);
  }
};

const place = (budget: BudgetFold, grantedAt: EpochNs, picos: bigint, changes: Changes | null): void => {
  const period = budget.periodAt(grantedAt);
  if (period === null || picos === 0n) return;
  budget.reserved.add(period.start, picos);
  changes?.touchedReserved(budget, period.start);
};

/** Other periods, perhaps: what is held goes into those that now hold the moments of the grants. Rare, so it walks over all holds of the tenant. */
export const replace = (tenant: Holding, budget: BudgetFold, changes: Changes): void => {
  for (const start of budget.reserved.starts()) changes.touchedReserved(budget, start);
  budget.reserved.clear();
  for (const { grant, isOpen } of tenant.holds.values()) {
    if (grant === null || !isOpen) continue;
    for (const { budgetId, picos } of grant.amounts) if (budgetId === budget.id) place(budget, grant.facts.grantedAt, picos, changes);
  }
  tenant.undecided.replace(budget);
};

/** The budget is gone, and what was held in it with it. */
export const forget = (budget: BudgetFold, changes: Changes): void => {
  for (const start of budget.reserved.starts()) changes.touchedReserved(budget, start);
  budget.reserved.clear();
};
