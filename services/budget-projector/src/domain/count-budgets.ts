import {
  balanceStream,
  type EventOf,
  formatInstant,
  formatPicos,
  type LedgerEvent,
  type Period,
  type UsageRecordedEvent,
} from '@bursar/contracts';
import {
  type BudgetState,
  budgetCounts,
  type CorrectingEvent,
  type Correction,
  conversionInstant,
  correctionOf,
  originalOf,
  type Settled,
  settledCharge,
  settledCost,
  takesEffect,
} from '@bursar/contracts/folds';
import { BudgetFold } from './budget-fold.js';
import { type Emitted, emit } from './emitted.js';
import { countedEventId } from './fold-definition.js';
import { type Amount, addAmount, noSums, replaceAmount, type Sums, takeAmount } from './sums.js';
import type { TenantHistory } from './tenant-history.js';
import { type PendingAmount, pendingToWire } from './waiting.js';

/** Periods, and waiting usages, in one BudgetCounted at most: a range of them still fits one bus message. */
export const PARTS_PER_EVENT = 500;

/** What a stream of usage holds. */
export type UsageEvent = EventOf<'UsageRecorded' | 'UsageVoided' | 'UsageRerated'>;

export const isUsageEvent = (event: LedgerEvent): event is UsageEvent =>
  event.type === 'UsageRecorded' || event.type === 'UsageVoided' || event.type === 'UsageRerated';

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
  /** So far, of usage that was corrected, by its position. */
  readonly #corrections = new Map<number, readonly Correction[]>();

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
    if (event.type !== 'UsageRecorded') {
      this.#correct(event);
      return true;
    }
    const settled = this.#settled(event, NONE);
    for (const count of this.#countsAt(event.position, event, settled)) {
      const picos = this.#picos(count, event, settled);
      addAmount(this.#sums(count, event, settled), amountOf(settled, picos));
      if (picos === null) this.#await(count, event, settled);
    }
    return true;
  }

  /** The events that tell the ledger, per budget those of one append. */
  results(): readonly (readonly Emitted[])[] {
    return this.#counts.map((count) => this.#emit(count));
  }

  /** What its usage came to by the end of the count is taken back, and after a rerating what it comes to now is added: when it happened stays. */
  #correct(event: CorrectingEvent): void {
    const usage = originalOf(event);
    const before = this.#corrections.get(usage.position) ?? NONE;
    const correction = correctionOf(event);
    if (!takesEffect(before, correction)) return;
    const corrections = [...before, correction];
    this.#corrections.set(usage.position, corrections);
    const was = this.#settled(usage, before);
    const is = event.type === 'UsageVoided' ? null : this.#settled(usage, corrections);
    for (const count of this.#countsAt(event.position, usage, was)) {
      const sums = this.#sums(count, usage, was);
      const taken = amountOf(was, this.#picos(count, usage, was));
      count.waiting.delete(usage.position);
      if (is === null) takeAmount(sums, taken);
      else {
        const picos = this.#picos(count, usage, is);
        replaceAmount(sums, taken, amountOf(is, picos));
        if (picos === null) this.#await(count, usage, is);
      }
    }
  }

  #settled(usage: UsageRecordedEvent, corrections: readonly Correction[]): Settled {
    return settledCharge(usage, this.history.definitions, this.history.arrivals, this.#last, corrections);
  }

  /** Those that reach the position, count the charge, and have a period then. */
  #countsAt(position: number, usage: UsageRecordedEvent, { charged }: Settled): readonly Count[] {
    return this.#counts.filter(
      ({ target: { state, through }, budget }) =>
        position <= through && budgetCounts(state, charged) && budget.periodAt(charged.effectiveAt, usage.position) !== null,
    );
  }

  #sums(count: Count, usage: UsageRecordedEvent, { charged: { effectiveAt } }: Settled): Sums {
    const period = count.budget.periodAt(effectiveAt, usage.position);
    if (period === null) throw new Error('a count without a period was asked for its sums');
    const entry = count.periods.get(period.start) ?? { period, sums: noSums() };
    count.periods.set(period.start, entry);
    return entry.sums;
  }

  /** null: without a price or a rate by the end of the count. */
  #picos({ target: { state, through } }: Count, usage: UsageRecordedEvent, settled: Settled): bigint | null {
    if (settled.pricedAt === null || settled.pricedAt > through) return null;
    const { definitions, arrivals } = this.history;
    return settledCost(settled, usage, state, definitions, arrivals, through)?.picos ?? null;
  }

  /** What has a cost by the end of the count and no rate is listed for the first one that covers it; for a price the table of waiting usage knows. */
  #await({ target, waiting }: Count, usage: UsageRecordedEvent, { charged, pricedAt }: Settled): void {
    const { cost, effectiveAt, failed, split } = charged;
    if (cost === null || pricedAt === null || pricedAt > target.through) return;
    const occurredAt = conversionInstant(charged, usage);
    waiting.set(usage.position, { occurredAt, effectiveAt, cost, failed, ...(split !== undefined && { split }) });
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

const NONE: readonly Correction[] = [];

const amountOf = ({ charged: { failed, effectiveAt } }: Settled, picos: bigint | null): Amount => ({ picos, failed, effectiveAt });

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
