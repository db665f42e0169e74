import { type EpochNs, type Money, type Period, periodResolver, type ScopeRef, type UsageRecordedEvent } from '@bursar/contracts';
import {
  type Arrivals,
  type BudgetState,
  budgetAppliesAt,
  budgetsOnPath,
  type CorrectedAt,
  type Correction,
  isVoided,
  reratedBy,
  type Settled,
  settledCharge,
  settledCost,
  shareOf,
  standing,
  type TenantDefinitions,
  takesEffect,
} from '@bursar/contracts/folds';

export type Known = Readonly<{ definitions: TenantDefinitions; arrivals: Arrivals }>;
export type ChangedUsage = Readonly<{ usage: UsageRecordedEvent; previousCost: Money | null; cost: Money }>;
/** What a budget's period gains (or loses), in picos of its currency, by so many events. */
export type PeriodImpact = { readonly state: BudgetState; readonly period: Period; difference: bigint; events: number };
export type CostImpact = { events: number; previous: bigint; cost: bigint };

/** Usage listed singly. */
const LISTED = 100;

/**
 * What a correction of prices, which `known` has at `at` already, makes of a tenant's usage: added up from the very functions by which the
 * projector will rerate it and fold that.
 */
export class PriceImpact {
  rerated = 0;
  priced = 0;
  readonly costs = new Map<string, CostImpact>();
  readonly scopes = new Map<ScopeRef, Map<string, bigint>>();
  readonly periods = new Map<string, PeriodImpact>();
  readonly listed: ChangedUsage[] = [];
  readonly #resolvers = new Map<string, ReturnType<typeof periodResolver>>();

  constructor(
    private readonly known: Known,
    private readonly at: CorrectedAt,
  ) {}

  /** Usage before the correction, with what was said of it by then. */
  add(usage: UsageRecordedEvent, said: readonly Correction[]): void {
    // What a producer stated was never rated, and is not now.
    if (usage.data.cost !== undefined) return;
    const { definitions, arrivals } = this.known;
    const { first, last } = this.at;
    const corrections = standing(said, first - 1);
    if (isVoided(corrections)) return;
    const was = settledCharge(usage, definitions, arrivals, first - 1, corrections);
    const is = was.pricedAt === null ? settledCharge(usage, definitions, arrivals, last, corrections) : this.#rerated(usage, corrections);
    if (is === null || is.charged.cost === null) return;
    if (was.pricedAt === null) this.priced += 1;
    else this.rerated += 1;
    if (this.listed.length < LISTED) this.listed.push({ usage, previousCost: was.charged.cost, cost: is.charged.cost });
    this.#addCosts(was.charged.cost, is.charged.cost);
    this.#addScopes(was, is);
    this.#addBudgets(usage, was, is);
  }

  #rerated(usage: UsageRecordedEvent, corrections: readonly Correction[]): Settled | null {
    const { definitions, arrivals } = this.known;
    const { last } = this.at;
    const rerating = takesEffect(corrections, { stated: false }) ? reratedBy(usage, definitions, arrivals, this.at) : null;
    if (rerating === null) return null;
    const next = { at: last, cost: rerating.cost, stated: false };
    return settledCharge(usage, definitions, arrivals, last, [...corrections, next]);
  }

  #addCosts(previous: Money | null, cost: Money): void {
    const of = (currency: string): CostImpact => {
      const known = this.costs.get(currency) ?? { events: 0, previous: 0n, cost: 0n };
      this.costs.set(currency, known);
      return known;
    };
    of(cost.currency).events += 1;
    of(cost.currency).cost += cost.picos;
    if (previous !== null) of(previous.currency).previous += previous.picos;
  }

  #addScopes({ charged: was }: Settled, { charged: is }: Settled): void {
    for (const scope of is.path) {
      const sums = this.scopes.get(scope) ?? new Map<string, bigint>();
      this.scopes.set(scope, sums);
      const add = (cost: Money | null, sign: 1n | -1n): void => {
        if (cost !== null) sums.set(cost.currency, (sums.get(cost.currency) ?? 0n) + sign * shareOf(is.split, [scope], cost.picos));
      };
      add(was.cost, -1n);
      add(is.cost, 1n);
    }
  }

  #addBudgets(usage: UsageRecordedEvent, was: Settled, is: Settled): void {
    const { definitions, arrivals } = this.known;
    const { last } = this.at;
    const { path, effectiveAt } = is.charged;
    for (const state of budgetsOnPath(definitions, path, is.charged, last)) {
      if (!budgetAppliesAt(state, effectiveAt)) continue;
      const period = this.#periodAt(state, effectiveAt, usage.position);
      if (period === null) continue;
      const before = settledCost(was, usage, state, definitions, arrivals, last)?.picos ?? 0n;
      const after = settledCost(is, usage, state, definitions, arrivals, last)?.picos ?? 0n;
      const key = periodKey(state.budgetId, period.start);
      const impact = this.periods.get(key) ?? { state, period, difference: 0n, events: 0 };
      this.periods.set(key, impact);
      impact.difference += after - before;
      impact.events += 1;
    }
  }

  #periodAt(state: BudgetState, at: EpochNs, position: number): Period | null {
    const resolver = this.#resolvers.get(state.budgetId) ?? periodResolver(state.definition.period);
    this.#resolvers.set(state.budgetId, resolver);
    return resolver(at, position);
  }
}

export const periodKey = (budgetId: string, start: EpochNs): string => `${budgetId} ${start}`;
