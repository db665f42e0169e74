import type { UsageRecordedEvent } from '@bursar/contracts';
import {
  type Arrivals,
  budgetCounts,
  isVoided,
  type MetCorrection,
  settledCharge,
  settledCost,
  type TenantDefinitions,
} from '@bursar/contracts/folds';
import type { BudgetAsOf } from './budget-as-of.js';

/** The largest usage of a budget's period that is named. */
const SHOWN = 5;

export type Contribution = Readonly<{ usage: UsageRecordedEvent; picos: bigint }>;

/** Which usage filled one budget by a position, from the tenant's usage with what was said of it by then. */
export class Contributors {
  #largest: Contribution[] = [];
  #count = 0;

  constructor(
    private readonly budget: BudgetAsOf,
    private readonly known: Readonly<{ definitions: TenantDefinitions; arrivals: Arrivals }>,
    private readonly through: number,
  ) {}

  /** Newest first. */
  add(usage: UsageRecordedEvent, corrections: readonly MetCorrection[]): void {
    const { state, period } = this.budget;
    const { definitions, arrivals } = this.known;
    const settled = settledCharge(usage, definitions, arrivals, this.through, corrections);
    const { effectiveAt } = settled.charged;
    if (period === null || effectiveAt < period.start || effectiveAt >= period.end) return;
    if (isVoided(corrections, this.through) || !budgetCounts(state, settled.charged)) return;
    const cost = settledCost(settled, usage, state, definitions, arrivals, this.through);
    if (cost === null) return;
    this.#count += 1;
    const last = this.#largest.at(-1);
    if (last !== undefined && this.#largest.length === SHOWN && cost.picos <= last.picos) return;
    this.#largest.push({ usage, picos: cost.picos });
    this.#largest = this.#largest.toSorted((a, b) => (a.picos < b.picos ? 1 : a.picos > b.picos ? -1 : 0)).slice(0, SHOWN);
  }

  /** Counted in the period by then. */
  get count(): number {
    return this.#count;
  }

  /** Largest first; of equal ones the newest. */
  get largest(): readonly Contribution[] {
    return this.#largest;
  }
}
