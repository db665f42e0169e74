import {
  balanceStream,
  type EventOf,
  formatInstant,
  formatPicos,
  type Period,
  parseInstant,
  type UsageRecordedEvent,
} from '@bursar/contracts';
import { type BudgetState, budgetCounts, originalOf, type Settled, settledCharge, settledCost } from '@bursar/contracts/folds';
import { BudgetFold } from './budget-fold.js';
import { type Emitted, emit } from './emitted.js';
import { countedEventId } from './fold-definition.js';
import { addAmount, noSums, type Sums, takeAmount } from './sums.js';
import type { TenantHistory } from './tenant-history.js';
import { type PendingAmount, pendingToWire } from './waiting.js';

/** Periods, and waiting usages, in one BudgetCounted at most: a range of them still fits one bus message. */
export const PARTS_PER_EVENT = 500;

/** What a stream of usage holds. */
export type UsageEvent = EventOf<'UsageRecorded' | 'UsageVoided'>;

/** A definition whose past is to be added up: usage at positions 1..through. */
export type CountTarget = Readonly<{ state: BudgetState; through: number }>;

type Count = Readonly<{
  target: CountTarget;
  budget: BudgetFold;
  periods: Map<bigint, { period: Period; sums: Sums }>;
  /** For a rate, by position. */
  waiting: Map<number, PendingAmount>;
}>;

/**
 * Adds up the past of budgets of one tenant from its usage stream, beside the loop and by the same charge: the tree and prices at each
 * event's own position; what had no price or rate then, at the first that came; what has none at `through` is left waiting.
 */
export class BudgetCounter {
  readonly #counts: readonly Count[];
  readonly #last: number;

  constructor(
    private readonly history: TenantHistory,
    targets: readonly CountTarget[],
  ) {
    this.#counts = targets.map((target) => ({
      target,
      budget: new BudgetFold(history.tenant, target.state, []),
      periods: new Map(),
      waiting: new Map(),
    }));
    this.#last = Math.max(0, ...targets.map(({ through }) => through));
  }

  /** The stream's events in order. Answers false from the first that is past every target on. */
  add(event: UsageEvent): boolean {
    if (event.position > this.#last) return false;
    const usage = event.type === 'UsageVoided' ? originalOf(event) : event;
    const settled = settledCharge(usage, this.history.definitions, this.history.arrivals, this.#last);
    for (const count of this.#counts) {
      const { state, through } = count.target;
      if (event.position <= through && budgetCounts(state, settled.charged)) this.#addTo(count, usage, settled, event.type);
    }
    return true;
  }

  /** The events that tell the ledger, per budget those of one append. */
  results(): readonly (readonly Emitted[])[] {
    return this.#counts.map((count) => this.#emit(count));
  }

  /** A void takes back what its usage came to by the end of the count, so that nothing of it is left but when it happened. */
  #addTo(count: Count, usage: UsageRecordedEvent, settled: Settled, type: UsageEvent['type']): void {
    const { cost, effectiveAt, failed, split } = settled.charged;
    const { state, through } = count.target;
    const period = count.budget.periodAt(effectiveAt, usage.position);
    if (period === null) return;
    const entry = count.periods.get(period.start) ?? { period, sums: noSums() };
    count.periods.set(period.start, entry);
    const { definitions, arrivals } = this.history;
    const isPriced = settled.pricedAt !== null && settled.pricedAt <= through;
    const picos = isPriced ? (settledCost(settled, usage, state, definitions, arrivals, through)?.picos ?? null) : null;
    if (type === 'UsageVoided') {
      takeAmount(entry.sums, { picos, failed, effectiveAt });
      count.waiting.delete(usage.position);
      return;
    }
    addAmount(entry.sums, { picos, failed, effectiveAt });
    const occurredAt = parseInstant(usage.data.occurredAt);
    if (picos !== null || !isPriced || cost === null) return;
    count.waiting.set(usage.position, { occurredAt, effectiveAt, cost, failed, ...(split !== undefined && { split }) });
  }

  #emit({ target, periods, waiting }: Count): readonly Emitted[] {
    const { tenant } = this.history;
    const { budgetId } = target.state;
    const rows = [...periods.values()].sort((a, b) => (a.period.start < b.period.start ? -1 : 1)).map(toWire);
    const pending = [...waiting].map(([position, amount]) => ({ position, ...pendingToWire(amount) }));
    const parts = Math.max(1, Math.ceil(Math.max(rows.length, pending.length) / PARTS_PER_EVENT));
    return Array.from({ length: parts }, (_, part) => {
      const [from, to] = [part * PARTS_PER_EVENT, (part + 1) * PARTS_PER_EVENT];
      const data = {
        budgetId,
        through: target.through,
        periods: rows.slice(from, to),
        waitingForRate: pending.slice(from, to),
        complete: part === parts - 1,
      };
      const id = countedEventId(tenant, budgetId, target.through, part);
      return emit('BudgetCounted', balanceStream(tenant, budgetId), id, data, { meta: { tenant } });
    });
  }
}

const toWire = ({ period, sums }: { period: Period; sums: Sums }) => ({
  start: formatInstant(period.start),
  end: formatInstant(period.end),
  spend: formatPicos(sums.spend),
  events: sums.events,
  failedSpend: formatPicos(sums.failedSpend),
  failedEvents: sums.failedEvents,
  waiting: sums.waiting,
  lastUsageAt: sums.lastUsageAt === null ? null : formatInstant(sums.lastUsageAt),
});
