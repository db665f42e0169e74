import { listBudgets } from '@bursar/contracts/folds';
import { BudgetFold } from './budget-fold.js';
import type { Hold } from './holds/hold.js';
import { hold } from './holds/place-holds.js';
import { TenantHolds } from './holds/tenant-holds.js';
import { UndecidedHolds } from './holds/undecided.js';
import type { TenantHistory } from './tenant-history.js';

/** One tenant in memory, as of the last position folded. */
export class TenantFold {
  readonly budgets = new Map<string, BudgetFold>();
  /** Budgets whose figures lack an event that was set aside; null among them: all do. */
  readonly incomplete = new Set<string | null>();
  /** Every open one, by id; others for as long as the tables lack them, or somebody needs them. */
  readonly holds = new TenantHolds();
  readonly undecided = new UndecidedHolds();
  /** Number of the fold step that used it last: what an eviction goes by. */
  usedAt = 0;

  /**
   * @param counted of each budget, the position from which its thresholds are decided; absent or null: still counting
   * @param open its open holds
   * @param firstUsage position of the tenant's first usage event, null when it has none yet
   */
  constructor(
    readonly history: TenantHistory,
    counted: ReadonlyMap<string, number | null>,
    public firstUsage: number | null,
    open: readonly Hold[],
  ) {
    for (const state of listBudgets(history.definitions)) {
      const budget = new BudgetFold(history.tenant, state, history.versionsOf(state.budgetId));
      budget.countedPosition = counted.get(state.budgetId) ?? null;
      this.budgets.set(budget.id, budget);
    }
    for (const one of open) {
      this.holds.set(one);
      if (one.grant !== null) hold(this, one.grant.terms, 1, null);
    }
  }

  isIncomplete(budgetId: string): boolean {
    return this.incomplete.size > 0 && (this.incomplete.has(null) || this.incomplete.has(budgetId));
  }

  get tenant(): string {
    return this.history.tenant;
  }

  /** Is there usage before this position? Decides whether a budget defined there has a past to add up. */
  hasUsageBefore(position: number): boolean {
    return this.firstUsage !== null && this.firstUsage < position;
  }
}
