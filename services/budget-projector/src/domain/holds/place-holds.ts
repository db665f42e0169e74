import type { EpochNs } from '@bursar/contracts';
import type { BudgetFold } from '../budget-fold.js';
import type { Changes } from '../changes.js';
import type { Hold } from './hold.js';
import type { TenantHolds } from './tenant-holds.js';
import type { Terms } from './terms.js';
import type { UndecidedHolds } from './undecided.js';

/** A tenant, as far as its holds are concerned. `holds`: every open one is among them. */
type Holding = Readonly<{ budgets: ReadonlyMap<string, BudgetFold>; holds: TenantHolds; undecided: UndecidedHolds }>;

/** So many holds on these terms take room in their budgets, each in the period in which it was granted. `changes` null: the tables say so already. */
export const hold = (tenant: Holding, terms: Terms, count: number, changes: Changes | null): void =>
  move(tenant, terms, BigInt(count), changes);

/** The hold's room is free again. */
export const free = (tenant: Holding, { grant }: Hold, changes: Changes): void => {
  if (grant !== null) move(tenant, grant.terms, -1n, changes);
};

const move = (tenant: Holding, { amounts, facts }: Terms, times: bigint, changes: Changes | null): void => {
  for (const { budgetId, picos } of amounts) {
    const budget = tenant.budgets.get(budgetId);
    if (budget === undefined) continue; // deleted meanwhile
    place(budget, facts.grantedAt, times * picos, changes);
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
  for (const { amounts, facts } of tenant.holds.openTerms()) {
    for (const { budgetId, picos } of amounts) if (budgetId === budget.id) place(budget, facts.grantedAt, picos, changes);
  }
  tenant.undecided.replace(budget);
};

/** The budget is gone, and what was held in it with it. */
export const forget = (budget: BudgetFold, changes: Changes): void => {
  for (const start of budget.reserved.starts()) changes.touchedReserved(budget, start);
  budget.reserved.clear();
};
