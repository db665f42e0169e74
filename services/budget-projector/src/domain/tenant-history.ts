import { type EpochNs, type LedgerEvent, parseInstant } from '@bursar/contracts';
import { Arrivals, type BudgetState, evolveDefinitions, findBudget, isDefinitionEvent, TenantDefinitions } from '@bursar/contracts/folds';

/** A budget as one of its events left it. */
export type BudgetVersion = Readonly<{ at: EpochNs; state: BudgetState }>;

const NONE: readonly BudgetVersion[] = [];

/**
 * One tenant's definitions by position, with the positions where waiting usage may become chargeable. The loops of a partition share
 * one: only the main loop evolves it, and whoever asks names the position, so being ahead of a reader is harmless.
 */
export class TenantHistory {
  readonly definitions: TenantDefinitions;
  /** Where waiting usage may become chargeable. */
  readonly arrivals = new Arrivals();
  readonly #versions = new Map<string, BudgetVersion[]>();
  #evolvedTo = 0;
  #size = 0;

  constructor(readonly tenant: string) {
    this.definitions = new TenantDefinitions(tenant);
  }

  /** Definition events in position order; what was folded before changes nothing. */
  evolve(event: LedgerEvent): void {
    if (event.position <= this.#evolvedTo) return;
    evolveDefinitions(this.definitions, event);
    this.#evolvedTo = event.position;
    this.#size += 1;
    this.arrivals.apply(event);
    if (isDefinitionEvent(event) && 'budgetId' in event.data) this.#keepVersion(event.data.budgetId, event);
  }

  /** Events that it was made of. */
  get size(): number {
    return this.#size;
  }

  /** What the budget was, oldest first; empty for one that never was. */
  versionsOf(budgetId: string): readonly BudgetVersion[] {
    return this.#versions.get(budgetId) ?? NONE;
  }

  #keepVersion(budgetId: string, event: LedgerEvent): void {
    const state = findBudget(this.definitions, budgetId, event.position);
    if (state === null) return;
    const versions = this.#versions.get(budgetId) ?? [];
    versions.push({ at: parseInstant(event.recordedAt), state });
    this.#versions.set(budgetId, versions);
  }
}
