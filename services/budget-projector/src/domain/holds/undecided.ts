import type { EpochNs } from '@bursar/contracts';
import type { BudgetFold } from '../budget-fold.js';
import type { Grant } from './hold.js';

/** A hold that was decided and is not folded yet: it takes room at once. */
export type Undecided = {
  readonly grant: Grant;
  readonly taken: { readonly budget: BudgetFold; start: EpochNs; readonly picos: bigint }[];
  /** Usage named it before its grant is in the ledger: the grant changes nothing any more. */
  overtaken: boolean;
  /** Of its event; null: not appended yet. */
  position: number | null;
};

/**
 * What one tenant's owner has decided and the fold has not met: grants, and holds whose end was decided. The room of an ended hold is
 * free only once its end is folded, since the usage that settles it may come first.
 */
export class UndecidedHolds {
  readonly #grants = new Map<string, Undecided>();
  /** Ids whose release or expiry is on its way. */
  readonly ending = new Set<string>();

  get isEmpty(): boolean {
    return this.#grants.size === 0 && this.ending.size === 0;
  }

  get(id: string): Undecided | undefined {
    return this.#grants.get(id);
  }

  add(grant: Grant, taken: Undecided['taken']): Undecided {
    for (const { budget, start, picos } of taken) budget.undecided.add(start, picos);
    const one: Undecided = { grant, taken, overtaken: false, position: null };
    this.#grants.set(grant.reservationId, one);
    return one;
  }

  /** The fold has come to the grant. Undefined: it was not decided by this owner. */
  take(id: string): Undecided | undefined {
    const one = this.#grants.get(id);
    if (one === undefined) return undefined;
    for (const { budget, start, picos } of one.taken) budget.undecided.add(start, -picos);
    this.#grants.delete(id);
    return one;
  }

  /** The budget's periods may be others now. */
  replace(budget: BudgetFold): void {
    for (const { grant, taken } of this.#grants.values()) {
      for (const part of taken) {
        if (part.budget !== budget) continue;
        budget.undecided.add(part.start, -part.picos);
        part.start = budget.periodAt(grant.facts.grantedAt)?.start ?? part.start;
        budget.undecided.add(part.start, part.picos);
      }
    }
  }
}
