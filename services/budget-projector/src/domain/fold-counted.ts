import { type EventOf, parseInstant, parsePicos } from '@bursar/contracts';
import { type Correction, convert, shareOf, standing } from '@bursar/contracts/folds';
import type { BudgetFold, PeriodState } from './budget-fold.js';
import type { Changes } from './changes.js';
import { decideCrossings } from './decide-crossings.js';
import { posting } from './fold-usage.js';
import { applyPlan, type Posting, touch } from './posting.js';
import { addSums, BalanceOverflowError, fits, type Sums } from './sums.js';
import type { TenantFold } from './tenant-fold.js';
import { type PendingAmount, pendingFromWire } from './waiting.js';

export type BudgetCountedEvent = EventOf<'BudgetCounted'>;

/** The budget the count is for; null when it is gone, counted already, or was redefined since: then the event says nothing. */
export const countedBudget = (tenant: TenantFold, { data }: BudgetCountedEvent): BudgetFold | null => {
  const budget = tenant.budgets.get(data.budgetId);
  return budget === undefined || budget.countedPosition !== null || budget.state.definedPosition !== data.through ? null : budget;
};

/** What was said of usage, by the usage's position. */
export type CorrectionsAt = ReadonlyMap<number, readonly Correction[]>;

/** What {@link foldCounted} will change. `corrections` knows of the usage that the event says waits. */
export const countedPostings = (
  tenant: TenantFold,
  budget: BudgetFold,
  event: BudgetCountedEvent,
  corrections: CorrectionsAt,
): CountedPart => {
  const rated: Posting[] = [];
  const waiting: { position: number; amount: PendingAmount }[] = [];
  for (const { position, ...wire } of event.data.waitingForRate) {
    const amount = pendingFromWire(wire);
    const endsAt = standing(corrections.get(position) ?? []).find(({ at }) => at > event.data.through)?.at;
    const picos = firstRated(tenant, budget, amount, { after: event.data.through, through: endsAt ?? event.position });
    // Corrected while it was being counted: the loop took it from what waits then, as this event's sums add it.
    if (picos === null && endsAt !== undefined) continue;
    if (picos === null) waiting.push({ position, amount });
    else rated.push(...posting(budget, { picos, failed: amount.failed, effectiveAt: amount.effectiveAt }, position, true));
  }
  const sums = event.data.periods.flatMap((wire) => {
    const period = budget.periodAt(parseInstant(wire.start));
    return period === null ? [] : [{ period, sums: readSums(wire) }];
  });
  return { budget, sums, rated, waiting };
};

export type CountedPart = Readonly<{
  budget: BudgetFold;
  sums: readonly Readonly<{ period: Posting['period']; sums: Sums }>[];
  /** A rate that covers them came in after the count and before its event. */
  rated: readonly Posting[];
  waiting: readonly Readonly<{ position: number; amount: PendingAmount }>[];
}>;

/** Adds the budget's past to what the loop added since. Its periods are in memory. */
export const foldCounted = (tenant: TenantFold, part: CountedPart, event: BudgetCountedEvent, changes: Changes, step: number): void => {
  const { budget } = part;
  const periods = part.sums.map(({ period, sums }) => [stateOf(budget, period.start), sums] as const);
  for (const [state, sums] of periods) if (!fits(state.sums.spend + sums.spend)) throw new BalanceOverflowError(budget.id);
  for (const [state, sums] of periods) {
    addSums(state.sums, sums);
    touch(state, event, changes, step);
  }
  applyPlan({ cause: event, tenant: tenant.tenant, postings: part.rated }, changes, step);
  for (const { position, amount } of part.waiting) {
    changes.waiting.push({ reason: 'rate', tenant: tenant.tenant, position, budgetIds: [budget.id], amount });
  }
};

/** The whole past is in: thresholds begin here. Every period that ends after the budget's creation is in memory. */
export const beginThresholds = (budget: BudgetFold, event: BudgetCountedEvent, changes: Changes): void => {
  budget.countedPosition = event.position;
  changes.counted.push(budget);
  const inOrder = [...budget.periods.values()].sort((a, b) => (a.period.start < b.period.start ? -1 : 1));
  for (const period of inOrder) decideCrossings(period, event, changes);
};

type Span = Readonly<{ after: number; through: number }>;

/** By the first rate that covered it after the definition: what the loop would have charged had it known that usage waited. */
const firstRated = (tenant: TenantFold, budget: BudgetFold, amount: PendingAmount, { after, through }: Span): bigint | null => {
  for (const position of tenant.history.arrivals.rates(after, through)) {
    const picos = convert(tenant.history.definitions, amount.cost, budget.state.currency, amount.occurredAt, position);
    if (picos !== 'rate_missing') return shareOf(amount.split, budget.state.scopes, picos);
  }
  return null;
};

type WireSums = BudgetCountedEvent['data']['periods'][number];
const readSums = ({ spend, events, failedSpend, failedEvents, waiting, lastUsageAt }: WireSums): Sums => ({
  spend: parsePicos(spend),
  events,
  failedSpend: parsePicos(failedSpend),
  failedEvents,
  waiting,
  lastUsageAt: lastUsageAt === null ? null : parseInstant(lastUsageAt),
});

const stateOf = (budget: BudgetFold, start: bigint): PeriodState => {
  const state = budget.periods.get(start);
  if (state === undefined) throw new Error(`period of budget ${budget.id} was not read before it was counted`);
  return state;
};
