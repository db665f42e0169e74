import { balanceStream, budgetStream, derivedId, type LedgerEvent } from '@bursar/contracts';
import { type DefinitionEvent, findBudget } from '@bursar/contracts/folds';
import { BudgetFold } from './budget-fold.js';
import type { Changes } from './changes.js';
import { emit } from './emitted.js';
import { forget, replace } from './holds/place-holds.js';
import type { TenantFold } from './tenant-fold.js';

/** What has to follow a definition before the next event may be folded. */
export type DefinitionEffect =
  | Readonly<{ effect: 'none' }>
  /** Limit or thresholds may be others: judge its open periods again. */
  | Readonly<{ effect: 'judge'; budget: BudgetFold }>
  /** Its open period ends here: its row says so, and the one that opens is judged. */
  | Readonly<{ effect: 'reset'; budget: BudgetFold }>
  /** It counts something else now: its balances begin anew. */
  | Readonly<{ effect: 'recount'; budget: BudgetFold }>
  | Readonly<{ effect: 'price' | 'rate' }>;

const NONE: DefinitionEffect = { effect: 'none' };

/** Evolves the definitions and the rows that show them. */
export const foldDefinition = (tenant: TenantFold, event: DefinitionEvent, changes: Changes): DefinitionEffect => {
  tenant.history.evolve(event);
  changes.definitions.push(event);
  switch (event.type) {
    case 'ScopeRegistered':
    case 'ScopeMoved':
    case 'ScopeDescribed':
    case 'ScopeRemoved': {
      const { scope } = event.data;
      const state = tenant.history.definitions.scopes.at(scope, event.position);
      changes.scopes.push({ tenant: tenant.tenant, scope, state, position: event.position });
      return NONE;
    }
    case 'BudgetCreated':
    case 'BudgetChanged':
    case 'BudgetDeleted':
    case 'BudgetReset':
    case 'BudgetPaused':
    case 'BudgetResumed':
    case 'OverrideGranted':
    case 'OverrideRevoked':
      return foldBudget(tenant, event, changes);
    case 'PricesCorrected': {
      const { correctionId, listId, more } = event.data;
      changes.pricesCorrected.push({ tenant: tenant.tenant, correctionId, listId, position: event.position });
      return more === true ? NONE : { effect: 'price' };
    }
    case 'PriceListCreated':
    case 'PricesAdded':
      return event.data.more === true ? NONE : { effect: 'price' };
    case 'ExchangeRateSet':
      return { effect: 'rate' };
    // What waits goes by the settings of its own position, and money without a currency was given one when it arrived.
    case 'TenantSettingsChanged':
      return NONE;
  }
};

type BudgetEvent = Extract<DefinitionEvent, { data: { budgetId: string } }>;

const foldBudget = (tenant: TenantFold, event: BudgetEvent, changes: Changes): DefinitionEffect => {
  const { budgetId } = event.data;
  const state = findBudget(tenant.history.definitions, budgetId, event.position);
  if (state === null) return NONE; // a change of what was never created
  const createdBy = event.type === 'BudgetCreated' ? (event.meta.actor ?? null) : null;
  const isOwn = event.stream === budgetStream(tenant.tenant, budgetId);
  changes.budgets.push({
    tenant: tenant.tenant,
    state,
    revision: isOwn ? event.revision : null,
    updatedAt: event.recordedAt,
    createdBy,
  });
  if (state.deletedPosition !== null) {
    const deleted = tenant.budgets.get(budgetId);
    if (deleted !== undefined) forget(deleted, changes);
    tenant.budgets.delete(budgetId);
    return NONE;
  }
  const versions = tenant.history.versionsOf(budgetId);
  const known = tenant.budgets.get(budgetId);
  if (known === undefined) {
    const budget = new BudgetFold(tenant.tenant, state, versions);
    budget.whole = true;
    tenant.budgets.set(budgetId, budget);
    beginCount(tenant, budget, event, changes);
    return NONE;
  }
  const periods = known.state.definition.period;
  known.redefine(state, versions);
  if (state.definition.period !== periods) replace(tenant, known, changes);
  if (state.definedPosition !== event.position) return { effect: event.type === 'BudgetReset' ? 'reset' : 'judge', budget: known };
  known.periods.clear();
  known.whole = false; // its thresholds keep their episodes, so a crossing of the new count is a new event
  changes.recounted.push(known);
  beginCount(tenant, known, event, changes);
  return { effect: 'recount', budget: known };
};

/** Counted at once where there is no usage yet; else it counts until its BudgetCounted is folded. Said in the ledger either way. */
const beginCount = (tenant: TenantFold, budget: BudgetFold, event: LedgerEvent, changes: Changes): void => {
  const { position } = event;
  const nothing = !tenant.hasUsageBefore(position);
  budget.countedPosition = nothing ? position : null;
  changes.counted.push(budget);
  if (!nothing) return;
  const data = { budgetId: budget.id, through: position, periods: [], waitingForRate: [], complete: true };
  changes.emitted.push(
    emit('BudgetCounted', balanceStream(tenant.tenant, budget.id), countedEventId(tenant.tenant, budget.id, position, 0), data, event),
  );
};

/** Of the n-th part of the count of one definition: whoever counts it again makes the same event. */
export const countedEventId = (tenant: string, budgetId: string, through: number, part: number): string =>
  derivedId('counted', tenant, budgetId, String(through), String(part));
