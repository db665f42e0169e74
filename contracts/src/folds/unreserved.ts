import type { UsageData } from '../events/usage.js';
import type { EpochNs } from '../values/instant.js';
import type { BudgetState } from './budget-book.js';
import { budgetCounts, type Charge } from './charge.js';
import { isBlocking } from './status.js';

/**
 * Does usage take from this budget what nobody held for it (RELIABILITY F29)? It names no reservation, and the budget, which counts it,
 * blocks at `now`. What costs nothing takes nothing, and could not be reserved either; what has no price yet may cost something.
 */
export const isUnreserved = (
  { reservationId }: Pick<UsageData, 'reservationId'>,
  charged: Pick<Charge, 'path' | 'effectiveAt' | 'category' | 'dimensions' | 'beyond' | 'cost'>,
  budget: Pick<BudgetState, 'scopes' | 'definition' | 'validFrom' | 'validUntil' | 'controls'>,
  now: EpochNs,
): boolean =>
  reservationId === undefined &&
  charged.cost?.picos !== 0n &&
  isBlocking(budget.definition, budget.controls, now) &&
  budgetCounts(budget, charged);
