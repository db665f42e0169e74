import type { BudgetDefinition } from '../events/budget.js';
import type { EventOf } from '../events/registry.js';
import { canonicalJson } from '../values/canonical.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import { parsePicos } from '../values/money.js';
import { anchorPeriod } from '../values/period-anchor.js';
import { continuesPeriods } from '../values/period-change.js';
import { keepResets, withReset } from '../values/period-reset.js';
import type { ScopeRef } from '../values/scope.js';
import { type BudgetControls, type ControlEvent, cutAutomatic, evolveControls, NO_CONTROLS } from './budget-controls.js';
import { globMatches } from './glob.js';
import { History } from './history.js';
import { evolveTerms, type Terms } from './rollover.js';

export type BudgetEvent = EventOf<'BudgetCreated' | 'BudgetChanged' | 'BudgetDeleted' | 'BudgetReset'> | ControlEvent;

/** What of a usage event a budget's filter looks at. */
export type Countable = Readonly<{
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
  /** Who draws on one of these counts the usage already. */
  beyond?: ReadonlySet<ScopeRef>;
}>;

/** A budget as it is at some position. */
export type BudgetState = Readonly<{
  budgetId: string;
  definition: BudgetDefinition;
  createdPosition: number;
  createdAt: EpochNs;
  /** Position of the last definition that makes it count something else than before: from there it is counted anew. */
  definedPosition: number;
  deletedPosition: number | null;
  /** The scopes that draw on it: `members`, else `scope` alone. */
  scopes: readonly ScopeRef[];
  currency: string;
  /** In picos of the currency; null is unlimited. */
  limit: bigint | null;
  validFrom: EpochNs | null;
  validUntil: EpochNs | null;
  /** Pause and overrides. */
  controls: BudgetControls;
  /** What each period was closed by, oldest first. */
  terms: readonly Terms[];
}>;

/** Does the budget count usage of this moment? validFrom inclusive, validUntil exclusive. */
export const budgetAppliesAt = (budget: Pick<BudgetState, 'validFrom' | 'validUntil'>, effectiveAt: EpochNs): boolean =>
  (budget.validFrom === null || effectiveAt >= budget.validFrom) && (budget.validUntil === null || effectiveAt < budget.validUntil);

/** The filter alone, and what was counted before: category and every named dimension, `*` in a value standing for anything. No filter matches all. */
export const filterMatches = (budget: Pick<BudgetState, 'scopes' | 'definition'>, usage: Countable): boolean => {
  const { filter } = budget.definition;
  const { beyond } = usage;
  if (beyond !== undefined && budget.scopes.some((scope) => beyond.has(scope))) return false;
  if (filter === undefined) return true;
  const { category, dimensions } = filter;
  if (category !== undefined && (usage.category === undefined || !globMatches(category, usage.category))) return false;
  for (const [key, pattern] of Object.entries(dimensions ?? {})) {
    const value = usage.dimensions?.[key];
    if (typeof value !== 'string' || !globMatches(pattern, value)) return false;
  }
  return true;
};

/** The budgets of one tenant by position, found by scope: what an event costs depends on its path, not on how many there are. */
export class BudgetBook {
  readonly #budgets = new Map<string, History<BudgetEvent, BudgetState | null>>();
  readonly #byScope = new Map<ScopeRef, Map<string, BudgetState>>();
  /** Budgets per path array, which the scope tree hands out again and again. */
  #byPath = new WeakMap<readonly ScopeRef[], readonly BudgetState[]>();
  #settledAt = 0;

  apply(event: BudgetEvent): void {
    const { budgetId } = event.data;
    let history = this.#budgets.get(budgetId);
    if (history === undefined) {
      history = new History<BudgetEvent, BudgetState | null>(null, evolveBudget);
      this.#budgets.set(budgetId, history);
    }
    const before = history.latest;
    if (!history.insert(event.position, event)) return;
    this.#settledAt = Math.max(this.#settledAt, event.position);
    this.#reindex(budgetId, before, history.latest);
  }

  at(budgetId: string, position: number): BudgetState | null {
    return this.#budgets.get(budgetId)?.at(position) ?? null;
  }

  /** Not deleted, oldest first. */
  list(position: number): readonly BudgetState[] {
    const states = [...this.#budgets.values()].map((history) => history.at(position));
    return states.filter(isLive).sort((a, b) => a.createdPosition - b.createdPosition);
  }

  /** Each budget of the path once, nearest scope first, then oldest first. */
  onPath(path: readonly ScopeRef[], usage: Countable, position: number): readonly BudgetState[] {
    const candidates = position < this.#settledAt ? this.#searchAt(path, position) : this.#current(path);
    return candidates.every((budget) => filterMatches(budget, usage))
      ? candidates
      : candidates.filter((budget) => filterMatches(budget, usage));
  }

  #current(path: readonly ScopeRef[]): readonly BudgetState[] {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const found = new Map<string, BudgetState>();
    for (const scope of path) {
      const here = [...(this.#byScope.get(scope)?.values() ?? [])].sort((a, b) => a.createdPosition - b.createdPosition);
      for (const budget of here) found.set(budget.budgetId, budget);
    }
    const budgets = Object.freeze([...found.values()]);
    this.#byPath.set(path, budgets);
    return budgets;
  }

  /** The past is asked for rarely (as-of, explain): a walk over all budgets will do. */
  #searchAt(path: readonly ScopeRef[], position: number): readonly BudgetState[] {
    const place = new Map(path.map((scope, index) => [scope, index]));
    const nearest = (budget: BudgetState): number => Math.min(...budget.scopes.map((scope) => place.get(scope) ?? path.length));
    return this.list(position)
      .filter((budget) => nearest(budget) < path.length)
      .sort((a, b) => nearest(a) - nearest(b) || a.createdPosition - b.createdPosition);
  }

  #reindex(budgetId: string, before: BudgetState | null, after: BudgetState | null): void {
    for (const scope of before?.scopes ?? []) {
      const here = this.#byScope.get(scope);
      here?.delete(budgetId);
      if (here?.size === 0) this.#byScope.delete(scope);
    }
    if (isLive(after)) {
      for (const scope of after.scopes) {
        const here = this.#byScope.get(scope) ?? new Map<string, BudgetState>();
        this.#byScope.set(scope, here.set(budgetId, after));
      }
    }
    this.#byPath = new WeakMap();
  }
}

const isLive = (state: BudgetState | null): state is BudgetState => state !== null && state.deletedPosition === null;

/** A change or deletion of what was never created, or is gone, changes nothing: a recorded fact cannot be refused. */
const evolveBudget = (state: BudgetState | null, event: BudgetEvent): BudgetState | null => {
  switch (event.type) {
    case 'BudgetCreated':
      return state ?? created(event);
    case 'BudgetChanged': {
      if (!isLive(state)) return state;
      const definition = { ...event.data.definition, period: keepResets(event.data.definition.period, state.definition.period) };
      const recounted = isRecounted(state.definition, definition, parseInstant(event.recordedAt));
      const definedPosition = recounted ? event.position : state.definedPosition;
      return { ...state, ...readDefinition(definition), definedPosition, terms: evolveTerms(state.terms, event) };
    }
    case 'BudgetDeleted':
      return isLive(state) ? { ...state, deletedPosition: event.position } : state;
    case 'BudgetReset': {
      if (!isLive(state)) return state;
      const period = withReset(state.definition.period, event.recordedAt, event.position);
      return { ...state, definition: { ...state.definition, period }, controls: cutAutomatic(state.controls, event.recordedAt) };
    }
    case 'BudgetPaused':
    case 'BudgetResumed':
    case 'OverrideGranted':
    case 'OverrideRevoked':
      return isLive(state) ? { ...state, controls: evolveControls(state.controls, event) } : state;
  }
};

const created = (event: EventOf<'BudgetCreated'>): BudgetState => ({
  budgetId: event.data.budgetId,
  ...readDefinition(atCreation(event.data.definition, event.recordedAt)),
  createdPosition: event.position,
  createdAt: parseInstant(event.recordedAt),
  definedPosition: event.position,
  deletedPosition: null,
  controls: NO_CONTROLS,
  terms: evolveTerms([], event),
});

/** A rolling period without an anchor starts where the store says the budget was created. */
const atCreation = (definition: BudgetDefinition, recordedAt: string): BudgetDefinition => ({
  ...definition,
  period: anchorPeriod(definition.period, recordedAt),
});

type Defined = Pick<BudgetState, 'definition' | 'scopes' | 'currency' | 'limit' | 'validFrom' | 'validUntil'>;
/** What a definition says, as a state has it. */
export const readDefinition = (definition: BudgetDefinition): Defined => ({
  definition,
  scopes: [...new Set(definition.members ?? [definition.scope])],
  currency: definition.limit.currency,
  limit: definition.limit.amount === null ? null : parsePicos(definition.limit.amount),
  validFrom: definition.validFrom === null ? null : parseInstant(definition.validFrom),
  validUntil: definition.validUntil === null ? null : parseInstant(definition.validUntil),
});

/** Does the change make it count other usage, in other periods or another currency? A limit, a threshold, a later time zone do not. */
const isRecounted = (before: BudgetDefinition, after: BudgetDefinition, at: EpochNs): boolean =>
  countedUsage(before) !== countedUsage(after) || !continuesPeriods(before.period, after.period, at);

const countedUsage = ({ scope, members, filter, limit, validFrom, validUntil }: BudgetDefinition): string =>
  canonicalJson({ scopes: [...new Set(members ?? [scope])].sort(), filter, currency: limit.currency, validFrom, validUntil });
