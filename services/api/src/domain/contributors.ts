import type { UsageRecordedEvent, UsageVoidedEvent } from '@bursar/contracts';
import { type Arrivals, budgetCounts, type Settled, settledCost, type TenantDefinitions } from '@bursar/contracts/folds';
import type { BudgetAsOf } from './budget-as-of.js';

/** The largest usage of a budget's period that is named. */
const SHOWN = 5;

export type Contribution = Readonly<{ usage: UsageRecordedEvent; picos: bigint }>;

/** Which usage filled one budget by a position, from the tenant's usage, newest first: a void comes before what it voids. */
export class Contributors {
  readonly #voided = new Set<string>();
  #largest: Contribution[] = [];
  #count = 0;

  constructor(
    private readonly budget: BudgetAsOf,
    private readonly known: Readonly<{ definitions: TenantDefinitions; arrivals: Arrivals }>,
    private readonly through: number,
  ) {}

  add(event: UsageRecordedEvent | UsageVoidedEvent, settled: Settled): void {
    if (event.type === 'UsageVoided') {
      this.#voided.add(event.data.eventId);
      return;
    }
    const { state, period } = this.budget;
    const { effectiveAt } = settled.charged;
    if (period === null || effectiveAt < period.start || effectiveAt >= period.end) return;
    if (this.#voided.has(event.id) || !budgetCounts(state, settled.charged)) return;
    const cost = settledCost(settled, event, state, this.known.definitions, this.known.arrivals, this.through);
    if (cost === null) return;
    this.#count += 1;
    const last = this.#largest.at(-1);
    if (last !== undefined && this.#largest.length === SHOWN && cost.picos <= last.picos) return;
    this.#largest.push({ usage: event, picos: cost.picos });
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
