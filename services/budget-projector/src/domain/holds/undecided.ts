import type { EpochNs } from '@bursar/contracts';
import type { BudgetFold } from '../budget-fold.js';
import type { Grant } from './hold.js';

/** Room that a hold takes in one budget. What is granted on the same terms shares it. */
export type Taken = { readonly budget: BudgetFold; start: EpochNs; readonly picos: bigint };

/** A hold that was decided and is not folded yet: it takes room at once. */
export type Undecided = {
  readonly grant: Grant;
  readonly taken: readonly Taken[];
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

  /** The fold has come to these grants, which are on the same terms. Of those that another owner decided there is nothing here. */
  take(grants: readonly Grant[]): void {
    let [taken, count] = [NOTHING, 0n];
    for (const { reservationId } of grants) {
      const one = this.#grants.get(reservationId);
      if (one === undefined) continue;
      this.#grants.delete(reservationId);
      if (one.taken === taken) {
        count += 1n;
        continue;
      }
      giveBack(taken, count);
      [taken, count] = [one.taken, 1n];
    }
    giveBack(taken, count);
  }

  /** The budget's periods may be others now. */
  replace(budget: BudgetFold): void {
    const parts = [...this.#grants.values()].flatMap(({ grant, taken }) =>
      taken.filter((part) => part.budget === budget).map((part) => ({ part, grant })),
    );
    for (const { part } of parts) budget.undecided.add(part.start, -part.picos);
    for (const { part, grant } of parts) part.start = budget.periodAt(grant.terms.facts.grantedAt)?.start ?? part.start;
    for (const { part } of parts) budget.undecided.add(part.start, part.picos);
  }
}

const NOTHING: readonly Taken[] = [];

const giveBack = (taken: readonly Taken[], count: bigint): void => {
  for (const { budget, start, picos } of taken) budget.undecided.add(start, -picos * count);
};
