import { balanceStream, formatInstant, formatPicos, type Period, parseInstant, type UsageRecordedEvent } from '@bursar/contracts';
import { type BudgetState, budgetCounts, type Charge, charge, convert } from '@bursar/contracts/folds';
import { BudgetFold } from './budget-fold.js';
import { type Emitted, emit } from './emitted.js';
import { countedEventId } from './fold-definition.js';
import { addAmount, noSums, type Sums } from './sums.js';
import type { TenantHistory } from './tenant-history.js';
import { type PendingAmount, pendingToWire } from './waiting.js';

/** Periods, and waiting usages, in one BudgetCounted at most: a range of them still fits one bus message. */
export const PARTS_PER_EVENT = 500;

/** A definition whose past is to be added up: usage at positions 1..through. */
export type CountTarget = Readonly<{ state: BudgetState; through: number }>;

type Count = Readonly<{
  target: CountTarget;
  budget: BudgetFold;
  periods: Map<bigint, { period: Period; sums: Sums }>;
  waiting: { position: number; amount: PendingAmount }[];
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
      waiting: [],
    }));
    this.#last = Math.max(0, ...targets.map(({ through }) => through));
  }

  /** The stream's events in order. Answers false from the first that is past every target on. */
  add(usage: UsageRecordedEvent): boolean {
    if (usage.position > this.#last) return false;
    const { pricedAt, charged } = this.#priced(usage);
    for (const count of this.#counts) {
      const { state, through } = count.target;
      if (usage.position <= through && budgetCounts(state, charged)) this.#addTo(count, usage, charged, pricedAt);
    }
    return true;
  }

  /** The events that tell the ledger, per budget those of one append. */
  results(): readonly (readonly Emitted[])[] {
    return this.#counts.map((count) => this.#emit(count));
  }

  /** The charge at the first position where the usage had a price, its own at the earliest. */
  #priced(usage: UsageRecordedEvent): { pricedAt: number; charged: Charge } {
    const { definitions } = this.history;
    const own = charge(usage, definitions);
    if (own.cost !== null) return { pricedAt: usage.position, charged: own };
    for (const position of this.history.pricesBetween(usage.position, this.#last)) {
      const later = charge(usage, definitions, usage.position, position);
      if (later.cost !== null) return { pricedAt: position, charged: later };
    }
    return { pricedAt: Number.POSITIVE_INFINITY, charged: own };
  }

  #addTo(count: Count, usage: UsageRecordedEvent, charged: Charge, pricedAt: number): void {
    const { effectiveAt, failed } = charged;
    const period = count.budget.periodAt(effectiveAt);
    if (period === null) return;
    const entry = count.periods.get(period.start) ?? { period, sums: noSums() };
    count.periods.set(period.start, entry);
    const cost = pricedAt <= count.target.through ? charged.cost : null;
    const amount = cost === null ? null : { occurredAt: parseInstant(usage.data.occurredAt), effectiveAt, cost, failed };
    const picos = amount === null ? null : this.#rated(count.target, amount, pricedAt);
    addAmount(entry.sums, { picos, failed, effectiveAt });
    if (amount !== null && picos === null) count.waiting.push({ position: usage.position, amount });
  }

  /** In the budget's currency by the first rate that covered it from the moment it had a price; null: none did up to `through`. */
  #rated({ state, through }: CountTarget, { cost, occurredAt }: PendingAmount, pricedAt: number): bigint | null {
    if (cost.currency === state.currency) return cost.picos;
    for (const position of [pricedAt, ...this.history.ratesBetween(pricedAt, through)]) {
      const picos = convert(this.history.definitions, cost, state.currency, occurredAt, position);
      if (picos !== 'rate_missing') return picos;
    }
    return null;
  }

  #emit({ target, periods, waiting }: Count): readonly Emitted[] {
    const { tenant } = this.history;
    const { budgetId } = target.state;
    const rows = [...periods.values()].sort((a, b) => (a.period.start < b.period.start ? -1 : 1)).map(toWire);
    const pending = waiting.map(({ position, amount }) => ({ position, ...pendingToWire(amount) }));
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
