import { z } from 'zod';
import { expectStatus, request, type Target } from './client.ts';
import type { TraceRow } from './row.ts';

const Lists = z.object({ data: z.array(z.object({ from: z.string().nullish() })) });

/** Loads the shipped model prices unless the tenant has them: a trace carries tokens, not money. */
export const ensurePrices = async (target: Target, rows: readonly TraceRow[]): Promise<void> => {
  if (!rows.some((row) => row.quantities !== undefined)) return;
  const lists = Lists.parse(expectStatus('GET /price-lists', await request(target, 'GET', '/price-lists?limit=200'), 200).body);
  if (lists.data.some((list) => list.from === 'public-llm')) return;
  expectStatus('POST /price-lists', await request(target, 'POST', '/price-lists', { from: 'public-llm' }), 201);
};

/** Registers the organisation of the trace, parents before children. A scope that exists already stays as it is. */
export const ensureScopes = async (target: Target, rows: readonly TraceRow[]): Promise<number> => {
  const parents = new Map<string, readonly string[]>();
  for (const row of rows) for (const [scope, above] of Object.entries(row.parents)) parents.set(scope, above);
  const order: string[] = [];
  const visit = (scope: string): void => {
    if (order.includes(scope)) return;
    for (const parent of parents.get(scope) ?? []) visit(parent);
    order.push(scope);
  };
  for (const scope of parents.keys()) visit(scope);
  for (const scope of order) {
    const colon = scope.indexOf(':');
    const body = { type: scope.slice(0, colon), id: scope.slice(colon + 1), parents: parents.get(scope) ?? [] };
    expectStatus(`POST /scopes ${scope}`, await request(target, 'POST', '/scopes', body), 201, 409);
  }
  return order.length;
};

const LIMITS: Readonly<Record<string, string>> = { organization: '50', team: '10' };
const Budgets = z.object({ data: z.array(z.object({ scope: z.string() })) });

/** A monthly budget in US dollars for every organisation and team of the trace that has none. */
export const ensureBudgets = async (target: Target, rows: readonly TraceRow[]): Promise<void> => {
  const above = new Set(rows.flatMap((row) => Object.values(row.parents).flat()));
  const existing = Budgets.parse(expectStatus('GET /budgets', await request(target, 'GET', '/budgets?limit=200'), 200).body);
  const taken = new Set(existing.data.map((budget) => budget.scope));
  for (const scope of above) {
    const limit = LIMITS[scope.slice(0, scope.indexOf(':'))];
    if (limit === undefined || taken.has(scope)) continue;
    const body = {
      name: `${scope.slice(scope.indexOf(':') + 1)} this month`,
      scope,
      limit: { amount: limit, currency: 'USD' },
      period: { kind: 'monthly', timezone: 'UTC' },
    };
    expectStatus(`POST /budgets for ${scope}`, await request(target, 'POST', '/budgets', body), 201);
  }
};
