import type { EventOf, LedgerEvent } from '../events/registry.js';
import type { TenantSettings } from '../events/tenant.js';
import { rootScope, type ScopeRef } from '../values/scope.js';
import { BudgetBook, type BudgetState, type Countable } from './budget-book.js';
import { HoldBook } from './hold-book.js';
import { PriceBook } from './price-book.js';
import { RateBook } from './rate-book.js';
import { type ScopeState, ScopeTree } from './scope-tree.js';
import { SettingsBook } from './tenant-settings.js';

/**
 * What one tenant has defined, as histories by position: scopes, budgets, prices, exchange rates, settings. A fold owns one and changes it in
 * place through {@link evolveDefinitions}; every question takes the position it is asked for (Infinity: as of now).
 */
export class TenantDefinitions {
  readonly scopes: ScopeTree;
  readonly budgets = new BudgetBook();
  readonly prices = new PriceBook();
  readonly rates = new RateBook();
  /** No definitions, but charges of usage that settles one are made by them too. */
  readonly holds = new HoldBook();
  readonly settings = new SettingsBook();

  constructor(readonly tenant: string) {
    this.scopes = new ScopeTree(rootScope(tenant));
  }

  /** Position of the last event that says what usage costs, prices and settings: asked for it, {@link rate} says what it says now. */
  get pricedBy(): number {
    return Math.max(this.prices.lastPosition, this.settings.lastPosition);
  }
}

const DEFINITION_TYPES = [
  'ScopeRegistered',
  'ScopeMoved',
  'ScopeDescribed',
  'ScopeRemoved',
  'BudgetCreated',
  'BudgetChanged',
  'BudgetDeleted',
  'BudgetReset',
  'BudgetPaused',
  'BudgetResumed',
  'OverrideGranted',
  'OverrideRevoked',
  'PriceListCreated',
  'PricesAdded',
  'PricesCorrected',
  'ExchangeRateSet',
  'TenantSettingsChanged',
] as const satisfies readonly LedgerEvent['type'][];
const IS_DEFINITION: ReadonlySet<string> = new Set(DEFINITION_TYPES);
export type DefinitionEvent = EventOf<(typeof DEFINITION_TYPES)[number]>;

/** Must a fold that loads this tenant have seen the event? */
export const isDefinitionEvent = (event: LedgerEvent): event is DefinitionEvent => IS_DEFINITION.has(event.type);

/**
 * Total: any event, in any order, any number of times; what defines nothing or belongs to another tenant changes nothing.
 * The result depends only on the set of events folded.
 */
export const evolveDefinitions = (definitions: TenantDefinitions, event: LedgerEvent): void => {
  if (!isDefinitionEvent(event) || event.meta.tenant !== definitions.tenant) return;
  switch (event.type) {
    case 'ScopeRegistered':
    case 'ScopeMoved':
    case 'ScopeDescribed':
    case 'ScopeRemoved':
      definitions.scopes.apply(event);
      return;
    case 'BudgetCreated':
    case 'BudgetChanged':
    case 'BudgetDeleted':
    case 'BudgetReset':
    case 'BudgetPaused':
    case 'BudgetResumed':
    case 'OverrideGranted':
    case 'OverrideRevoked':
      definitions.budgets.apply(event);
      return;
    case 'PriceListCreated':
    case 'PricesAdded':
    case 'PricesCorrected':
      definitions.prices.apply(event);
      return;
    case 'ExchangeRateSet':
      definitions.rates.apply(event);
      return;
    case 'TenantSettingsChanged':
      definitions.settings.apply(event);
      return;
  }
};

/** All scopes charged by these: themselves, every ancestor once (breadth first), the implicit root last. Ends on any data. */
export const chargedPath = (definitions: TenantDefinitions, scopes: readonly ScopeRef[], position: number): readonly ScopeRef[] =>
  definitions.scopes.path(scopes, position);

/** Direct parents; empty for a scope that is not registered (the root is nobody's registered parent unless said so). */
export const parentsAt = (definitions: TenantDefinitions, scope: ScopeRef, position: number): readonly ScopeRef[] =>
  definitions.scopes.parentsAt(scope, position);

/** Would the scope be among its own ancestors with these parents, as things stand now? */
export const wouldCycle = (definitions: TenantDefinitions, scope: ScopeRef, parents: readonly ScopeRef[]): boolean =>
  definitions.scopes.wouldCycle(scope, parents);

/** The registered scope, or null. */
export const findScope = (definitions: TenantDefinitions, scope: ScopeRef, position = Number.POSITIVE_INFINITY): ScopeState | null => {
  const state = definitions.scopes.at(scope, position);
  return state.registered ? state : null;
};

/** Registered scopes, in order of first registration. */
export const listScopes = (definitions: TenantDefinitions, position = Number.POSITIVE_INFINITY): readonly ScopeState[] =>
  definitions.scopes.list(position);

/**
 * The budgets whose scope or a member is on the path and whose filter matches, each once, nearest scope first. Whether one applies
 * at the event's moment (validFrom, validUntil) is the caller's question to {@link budgetAppliesAt}.
 */
export const budgetsOnPath = (
  definitions: TenantDefinitions,
  path: readonly ScopeRef[],
  usage: Countable,
  position: number,
): readonly BudgetState[] => definitions.budgets.onPath(path, usage, position);

/** Everything the tenant has set, complete. */
export const tenantSettings = (definitions: TenantDefinitions, position = Number.POSITIVE_INFINITY): TenantSettings =>
  definitions.settings.at(position);

/** Also a deleted one: its `deletedPosition` says so. */
export const findBudget = (definitions: TenantDefinitions, budgetId: string, position = Number.POSITIVE_INFINITY): BudgetState | null =>
  definitions.budgets.at(budgetId, position);

/** Budgets not deleted, oldest first. */
export const listBudgets = (definitions: TenantDefinitions, position = Number.POSITIVE_INFINITY): readonly BudgetState[] =>
  definitions.budgets.list(position);
