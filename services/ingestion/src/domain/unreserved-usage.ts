import { type EpochNs, fromWireMoney, parseInstant, rootScope, type ScopeRef, type UsageData } from '@bursar/contracts';
import { type BudgetState, isUnreserved } from '@bursar/contracts/folds';
import { makeProblem, type Problem } from '@bursar/contracts/http';

/** A budget whose mode is `block`, as far as the projection has folded it. */
export type Blocker = Pick<BudgetState, 'scopes' | 'definition' | 'validFrom' | 'validUntil' | 'controls'>;

/** Who charges usage of some scopes: the parents of each that has any, all the way up, and the budgets there that block. */
export type Surroundings = Readonly<{ parents: ReadonlyMap<ScopeRef, readonly ScopeRef[]>; blockers: readonly Blocker[] }>;

/** Whom usage names to be charged, but for all above them. */
export const namedScopes = ({ scopes, allocation = [] }: UsageData): readonly ScopeRef[] => [
  ...scopes,
  ...allocation.map(({ scope }) => scope),
];

/** Does a budget that blocks at `now` count it, with no reservation that holds the room for it? */
export const isRefusedUnreserved = (usage: UsageData, { parents, blockers }: Surroundings, tenant: string, now: EpochNs): boolean => {
  const cost = usage.cost ?? usage.rated;
  const charged = {
    path: pathOf(namedScopes(usage), parents, tenant),
    effectiveAt: parseInstant(usage.occurredAt),
    category: usage.category,
    dimensions: usage.dimensions ?? {},
    cost: cost === undefined ? null : fromWireMoney(cost),
  };
  return blockers.some((budget) => isUnreserved(usage, charged, budget, now));
};

/** RELIABILITY F29. It says no budget: whoever sends usage may not see it. */
export const unreserved = (): Problem => {
  const message = 'No reservation is named, and a budget that blocks counts this usage';
  return makeProblem('unreserved', `/reservationId: ${message}`, { errors: [{ pointer: '/reservationId', message, code: 'unreserved' }] });
};

const pathOf = (scopes: readonly ScopeRef[], parents: Surroundings['parents'], tenant: string): readonly ScopeRef[] => {
  const path = new Set(scopes);
  // A set hands out what is added while it is walked.
  for (const scope of path) for (const parent of parents.get(scope) ?? []) path.add(parent);
  return [...path.add(rootScope(tenant))];
};
