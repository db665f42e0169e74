import { type EventOf } from '@bursar/contracts';
import { originalOf, settledCharge, settledCost } from '@bursar/contracts/folds';
import { budgetsFor, posting } from './fold-usage.js';
import type { Plan } from './posting.js';
import type { TenantFold } from './tenant-fold.js';

export type UsageVoidedEvent = EventOf<'UsageVoided'>;

/** Budgets that never counted the usage, because it was set aside; null: none did. */
export type NeverCounted = ReadonlySet<string> | null;

/**
 * Takes a usage event back from every budget that counts it, or will have counted it when its past comes in: the budgets that match now
 * are those (a definition that counts something else is counted anew), each with what it was charged. What waited waits no longer.
 */
export const planVoid = (tenant: TenantFold, event: UsageVoidedEvent, neverCounted: NeverCounted): Plan => {
  const { history } = tenant;
  const usage = originalOf(event);
  const settled = settledCharge(usage, history.definitions, history.arrivals, event.position);
  const { charged } = settled;
  const { failed, effectiveAt } = charged;
  const budgets = neverCounted === null ? [] : budgetsFor(tenant, charged, event.position).filter(({ id }) => !neverCounted.has(id));
  const postings = budgets.flatMap((budget) => {
    const cost = settledCost(settled, usage, budget.state, history.definitions, history.arrivals, event.position);
    const amount = { picos: cost?.picos ?? null, failed, effectiveAt };
    return posting(budget, amount, usage.position, false).map((one) => ({ ...one, isVoid: true as const }));
  });
  return { cause: event, tenant: tenant.tenant, postings, settled: usage.position, voided: usage.position };
};
