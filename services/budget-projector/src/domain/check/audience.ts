import type { BudgetDefinition } from '@bursar/contracts';

/**
 * Whom an answer is for. `operator`: whoever answers for budgets, so he sees their figures. `user`: whoever merely spends; he sees those of budgets that
 * are visible to users (PRODUCT F3).
 */
export type Audience = 'operator' | 'user';

const OPERATORS: ReadonlySet<string> = new Set(['platform-admin', 'tenant-admin', 'auditor', 'reader']);

/** By the roles of the key, and by what the caller asks for: an operator's gateway may have an answer as its user may see it. */
export const audienceOf = (roles: readonly string[], asked: string | undefined): Audience =>
  asked?.trim().toLowerCase() !== 'user' && roles.some((role) => OPERATORS.has(role)) ? 'operator' : 'user';

export const seesFigures = (audience: Audience, { permissions }: Pick<BudgetDefinition, 'permissions'>): boolean =>
  audience === 'operator' || permissions.budgetVisibleToUser;

/** Of which budgets an answer may tell, by their ids. */
export type Sees = (budgetId: string) => boolean;
export const seesAll: Sees = () => true;

/** Of a refusal, what says nothing of the budget: that it was refused, what has no price, when to come back, and whom to ask. */
const UNREVEALING = ['decisionId', 'category', 'unpriced', 'resetAt', 'remediation', 'position'] as const;

/** The members of a refusal that its reader may see (PRODUCT C4): all of them, or none that tells a figure, a name or a scope of the budget. */
export const visibleMembers = (
  members: Readonly<Record<string, unknown>>,
  audience: Audience,
  definition: Pick<BudgetDefinition, 'permissions'>,
): Readonly<Record<string, unknown>> =>
  seesFigures(audience, definition)
    ? members
    : Object.fromEntries(UNREVEALING.flatMap((name) => (name in members ? [[name, members[name]] as const] : [])));
