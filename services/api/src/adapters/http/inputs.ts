import { rootScope, type ScopeRef } from '@bursar/contracts';
import type { AsOfQuery, BreakdownQuery, BudgetListQuery, ListQuery, ScopeListQuery, SummaryQuery } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import type { z } from 'zod';

/** Inputs of handlers, as the schemas of the contract make them. */
export type ById = Readonly<{ params: { id: string } }>;
export type ByScope = Readonly<{ params: { type: string; id: string } }>;
export type Paged = Readonly<{ query: z.output<typeof ListQuery> }>;
export type PastOrNow = Readonly<{ query: z.output<typeof AsOfQuery> }>;
export type BudgetsQuery = Readonly<{ query: z.output<typeof BudgetListQuery> }>;
export type ScopesQuery = Readonly<{ query: z.output<typeof ScopeListQuery> }>;
export type Breakdown = Readonly<{ query: z.output<typeof BreakdownQuery> }>;
export type Summary = Readonly<{ query: z.output<typeof SummaryQuery> }>;

/** The scope a path names. The root of another tenant is as absent as all that is theirs: 404. */
export const scopeAt = (tenant: string, { type, id }: ByScope['params']): ScopeRef => {
  const scope = `${type}:${id}`;
  if (type === 'tenant' && scope !== rootScope(tenant)) throw new Problem('not_found', 'There is no such scope.');
  return scope;
};
