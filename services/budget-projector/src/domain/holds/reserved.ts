import type { EpochNs } from '@bursar/contracts';
import type { BudgetFold } from '../budget-fold.js';
import type { Changes } from '../changes.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Hold } from './hold.js';

/** Amounts by the start of the period they are held in; none where nothing is. In picos of the budget's currency. */
export class Reserved {
  readonly #byStart = new Map<EpochNs, bigint>();

  at(start: EpochNs): bigint {
    return this.#byStart.get(start) ?? 0n;
  }

  add(start: EpochNs, picos: bigint): void {
    const sum = this.at(start) + picos;
    if (sum === 0n) this.#byStart.delete(start);
    else this.#byStart.set(start, sum);
  }

  starts(): readonly EpochNs[] {
    return [...this.#byStart.keys()];
  }

  clear(): void {
    this.#byStart.clear();
  }
}

/** The hold takes room in its budgets, each in the period in which it was granted. `changes` null: the tables say so already. */
export const hold = (tenant: TenantFold, one: Hold, changes: Changes | null): void => move(tenant, one, 1n, changes);

/** The room is free again. */
export const free = (tenant: TenantFold, one: Hold, changes: Changes): void => move(tenant, one, -1n, changes);

const move = (tenant: TenantFold, one: Hold, sign: 1n | -1n, changes: Changes | null): void => {
  const { grant } = one;
  if (grant === null) return;
  for (const { budgetId, picos } of grant.amounts) {
    const budget = tenant.budgets.get(budgetId);
    if (budget === undefined) continue; // deleted meanwhile
    if (sign === 1n) budget.holds.add(one);
    else budget.holds.delete(one);
    place(budget, grant.facts.grantedAt, sign * picos, changes);
  }
};

const place = (budget: BudgetFold, grantedAt: EpochNs, picos: bigint, changes: Changes | null): void => {
  const period = budget.periodAt(grantedAt);
  if (period === null || picos === 0n) return;
  budget.reserved.add(period.start, picos);
  changes?.touchedReserved(budget, period.start);
};

/** Other periods, perhaps: what is held goes into those that now hold the moments of the grants. */
export const replace = (tenant: TenantFold, budget: BudgetFold, changes: Changes): void => {
  for (const start of budget.reserved.starts()) changes.touchedReserved(budget, start);
  budget.reserved.clear();
  for (const { grant } of budget.holds) {
    for (const { budgetId, picos } of grant?.amounts ?? []) {
      if (budgetId === budget.id && grant !== null) place(budget, grant.facts.grantedAt, picos, changes);
    }
  }
  tenant.undecided.replace(budget);
};

/** The budget is gone, and what was held in it with it. */
export const forget = (budget: BudgetFold, changes: Changes): void => {
  for (const start of budget.reserved.starts()) changes.touchedReserved(budget, start);
  budget.reserved.clear();
  budget.holds.clear();
};
