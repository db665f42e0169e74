import type { UsageRecordedEvent } from '@bursar/contracts';
import {
  type CorrectingEvent,
  type Correction,
  conversionInstant,
  correctionOf,
  originalOf,
  type Settled,
  settledCharge,
  settledCost,
  standing,
  takesEffect,
} from '@bursar/contracts/folds';
import type { BudgetFold } from './budget-fold.js';
import { budgetsFor, posting } from './fold-usage.js';
import type { Plan, Posting } from './posting.js';
import type { TenantFold } from './tenant-fold.js';

/** Budgets that never counted the usage, because it was set aside; null: none did. */
export type NeverCounted = ReadonlySet<string> | null;

/** What the ledger said of the usage before. */
export type Before = Readonly<{ corrections: readonly Correction[]; neverCounted: NeverCounted }>;

/**
 * Takes a usage event back from every budget that counts it, or will have counted it when its past comes in, and after a rerating charges
 * its new cost there instead: the budgets that match now are those (a definition that counts something else is counted anew), each with
 * what it was charged. null: it changes nothing, since the usage was voided before, or its cost stated.
 */
export const planCorrection = (tenant: TenantFold, event: CorrectingEvent, { corrections, neverCounted }: Before): Plan | null => {
  const before = standing(corrections, event.position - 1);
  const correction = correctionOf(event);
  if (!takesEffect(before, correction)) return null;
  const usage = originalOf(event);
  const was = settledAt(tenant, usage, before, event.position);
  const budgets = neverCounted === null ? [] : budgetsFor(tenant, was.charged, event.position).filter(({ id }) => !neverCounted.has(id));
  const plan = { cause: event, tenant: tenant.tenant, corrects: { position: usage.position, correction } };
  return event.type === 'UsageVoided'
    ? { ...plan, postings: budgets.flatMap((budget) => takenBack(tenant, budget, usage, was, event.position)), settled: usage.position }
    : {
        ...plan,
        ...rerated(tenant, budgets, usage, was, settledAt(tenant, usage, [...before, correction], event.position), event.position),
      };
};

const settledAt = ({ history }: TenantFold, usage: UsageRecordedEvent, corrections: readonly Correction[], position: number): Settled =>
  settledCharge(usage, history.definitions, history.arrivals, position, corrections);

const picosOf = (
  { history }: TenantFold,
  budget: BudgetFold,
  usage: UsageRecordedEvent,
  settled: Settled,
  position: number,
): bigint | null => settledCost(settled, usage, budget.state, history.definitions, history.arrivals, position)?.picos ?? null;

const takenBack = (
  tenant: TenantFold,
  budget: BudgetFold,
  usage: UsageRecordedEvent,
  was: Settled,
  position: number,
): readonly Posting[] => {
  const { failed, effectiveAt } = was.charged;
  const picos = picosOf(tenant, budget, usage, was, position);
  return posting(budget, { picos, failed, effectiveAt }, usage.position, false).map((one) => ({ ...one, isVoid: true as const }));
};

/** The differences, and who waits for a rate with the new cost: it may be in another currency, or in none that needs one. */
const rerated = (
  tenant: TenantFold,
  budgets: readonly BudgetFold[],
  usage: UsageRecordedEvent,
  was: Settled,
  is: Settled,
  position: number,
): Pick<Plan, 'postings' | 'settled' | 'stillWaiting'> => {
  const { failed, effectiveAt, cost, split } = is.charged;
  const budgetIds: string[] = [];
  const postings = budgets.flatMap((budget) => {
    const replaces = picosOf(tenant, budget, usage, was, position);
    const picos = picosOf(tenant, budget, usage, is, position);
    const posted = posting(budget, { picos, failed, effectiveAt }, usage.position, false);
    if (picos === null && posted.length > 0) budgetIds.push(budget.id);
    return replaces === picos ? [] : posted.map((one) => ({ ...one, replaces }));
  });
  if (budgetIds.length === 0 || cost === null) return { postings, settled: usage.position };
  const occurredAt = conversionInstant(is.charged, usage);
  const amount = { occurredAt, effectiveAt, cost, failed, ...(split !== undefined && { split }) };
  return { postings, stillWaiting: { reason: 'rate', tenant: tenant.tenant, position: usage.position, budgetIds, amount } };
};
