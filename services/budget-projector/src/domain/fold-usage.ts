import type { LedgerEvent, Money, UsageRecordedEvent } from '@bursar/contracts';
import {
  budgetAppliesAt,
  budgetsOnPath,
  type Charge,
  charge,
  conversionInstant,
  convert,
  convertCharge,
  shareOf,
} from '@bursar/contracts/folds';
import type { BudgetFold } from './budget-fold.js';
import type { Plan, Posting } from './posting.js';
import type { Amount } from './sums.js';
import type { TenantFold } from './tenant-fold.js';
import type { WaitingForPrice, WaitingForRate } from './waiting.js';

/** A usage event at its own position: who is charged, or for what it waits. */
export const planUsage = (tenant: TenantFold, event: UsageRecordedEvent): Plan => {
  const charged = charge(event, tenant.history.definitions);
  if (charged.cost !== null) {
    const { postings, waiting } = postAll(tenant, event, charged, charged.cost, event, false);
    const plan = { cause: event, tenant: tenant.tenant, postings, charged };
    return waiting === null ? plan : { ...plan, waiting };
  }
  const amount = { picos: null, failed: charged.failed, effectiveAt: charged.effectiveAt };
  const postings = budgetsFor(tenant, charged, event.position).flatMap((budget) => posting(budget, amount, event.position, false));
  const waiting = { reason: 'price', tenant: tenant.tenant, position: event.position, event } as const;
  return { cause: event, tenant: tenant.tenant, postings, charged, waiting };
};

/** Prices came in at `cause`: usage that waited is charged by its own tree, these prices and the budgets there are; null: it waits on. */
export const planPriced = (tenant: TenantFold, { event, position }: WaitingForPrice, cause: LedgerEvent): Plan | null => {
  const charged = charge(event, tenant.history.definitions, position, cause.position);
  if (charged.cost === null) return null;
  const { postings, waiting } = postAll(tenant, event, charged, charged.cost, cause, true);
  const plan = { cause, tenant: tenant.tenant, postings, charged };
  return waiting === null ? { ...plan, settled: position } : { ...plan, stillWaiting: waiting };
};

/** A rate came in at `cause`: charged to each budget whose currency it now reaches; null: it changes nothing for this usage. */
export const planRated = (tenant: TenantFold, waiting: WaitingForRate, cause: LedgerEvent): Plan | null => {
  const { amount, budgetIds, position } = waiting;
  const { cost, occurredAt, failed, effectiveAt, split } = amount;
  const left: string[] = [];
  const postings: Posting[] = [];
  for (const budgetId of budgetIds) {
    const budget = tenant.budgets.get(budgetId);
    if (budget === undefined) continue; // deleted meanwhile
    const picos = convert(tenant.history.definitions, cost, budget.state.currency, occurredAt, cause.position);
    if (picos === 'rate_missing') left.push(budgetId);
    else postings.push(...posting(budget, { picos: shareOf(split, budget.state.scopes, picos), failed, effectiveAt }, position, true));
  }
  if (left.length === budgetIds.length) return null;
  const plan = { cause, tenant: tenant.tenant, postings };
  return left.length === 0 ? { ...plan, settled: position } : { ...plan, stillWaiting: { ...waiting, budgetIds: left } };
};

/** What a budget counts of an amount of the usage at a position: one posting, or none when it has no period then. */
export const posting = (budget: BudgetFold, amount: Amount, position: number, waited: boolean): readonly Posting[] => {
  const period = budget.periodAt(amount.effectiveAt, position);
  return period === null ? [] : [{ budget, period, amount, waited }];
};

/** A known cost, for every budget that matches now; those whose currency has no rate yet are left waiting. */
const postAll = (tenant: TenantFold, usage: UsageRecordedEvent, charged: Charge, cost: Money, cause: LedgerEvent, waited: boolean) => {
  const { effectiveAt, failed, split } = charged;
  const postings: Posting[] = [];
  const budgetIds: string[] = [];
  for (const budget of budgetsFor(tenant, charged, cause.position)) {
    const picos = inCurrencyOf(budget, cost, { usage, charged }, tenant, cause.position);
    if (picos !== null) {
      const amount = { picos: shareOf(split, budget.state.scopes, picos), failed, effectiveAt };
      postings.push(...posting(budget, amount, usage.position, waited));
    } else {
      budgetIds.push(budget.id);
      // What waited for a price is in the waiting count already.
      if (!waited) postings.push(...posting(budget, { picos, failed, effectiveAt }, usage.position, false));
    }
  }
  if (budgetIds.length === 0) return { postings, waiting: null };
  const amount = { occurredAt: conversionInstant(charged, usage), effectiveAt, cost, failed, ...(split !== undefined && { split }) };
  return { postings, waiting: { reason: 'rate', tenant: tenant.tenant, position: usage.position, budgetIds, amount } as const };
};

/** null: no rate known at the position covers it. */
const inCurrencyOf = (
  budget: BudgetFold,
  cost: Money,
  { usage, charged }: Readonly<{ usage: UsageRecordedEvent; charged: Charge }>,
  tenant: TenantFold,
  position: number,
): bigint | null => {
  const { currency } = budget.state;
  if (currency === cost.currency) return cost.picos;
  const picos = convertCharge(tenant.history.definitions, cost, currency, charged, usage, position);
  return picos === 'rate_missing' ? null : picos;
};

/** The budgets in memory that count the charge, as they stand at the position. */
export const budgetsFor = (tenant: TenantFold, charged: Charge, position: number): readonly BudgetFold[] => {
  const budgets: BudgetFold[] = [];
  for (const state of budgetsOnPath(tenant.history.definitions, charged.path, charged, position)) {
    if (!budgetAppliesAt(state, charged.effectiveAt)) continue;
    const budget = tenant.budgets.get(state.budgetId);
    if (budget !== undefined) budgets.push(budget);
  }
  return budgets;
};
