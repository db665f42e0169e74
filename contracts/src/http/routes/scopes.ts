import { PeriodPreview } from '../budgets/period.js';
import { ReadQuery } from '../fields/query.js';
import { Periods } from '../responses/budget.js';
import { Scope, ScopeList } from '../responses/registry.js';
import { UsageBreakdown, UsageSummary } from '../responses/usage.js';
import { ScopeBody, ScopePatch } from '../scopes/scope.js';
import { BreakdownQuery, ScopeListQuery, ScopeParams, SummaryQuery } from './queries.js';
import { API, routes } from './route.js';

const ONE = `${API}/scopes/:type/:id`;
const one = { 200: { description: 'The scope', schema: Scope } };

export const scopeRoutes = [
  ...routes('scopes', 'api', [
    {
      operationId: 'createScope',
      method: 'POST',
      path: `${API}/scopes`,
      summary: 'Register a scope under its parents',
      built: true,
      body: ScopeBody,
      responses: { 201: { description: 'Registered', schema: Scope } },
    },
    {
      operationId: 'listScopes',
      method: 'GET',
      path: `${API}/scopes`,
      summary: 'Registered scopes',
      built: true,
      query: ScopeListQuery,
      responses: { 200: { description: 'A page', schema: ScopeList } },
    },
    {
      operationId: 'getScope',
      method: 'GET',
      path: ONE,
      summary: 'A registered scope',
      built: true,
      params: ScopeParams,
      query: ReadQuery,
      responses: one,
    },
    {
      operationId: 'patchScope',
      isVersioned: true,
      method: 'PATCH',
      path: ONE,
      summary: 'Move it or describe it; a move binds from its position',
      built: true,
      params: ScopeParams,
      body: ScopePatch,
      contentTypes: ['application/json', 'application/merge-patch+json'],
      responses: one,
    },
    {
      operationId: 'deleteScope',
      isVersioned: true,
      method: 'DELETE',
      path: ONE,
      summary: 'Take it out of the registry',
      built: true,
      params: ScopeParams,
      responses: { 204: { description: 'Done' } },
    },
    {
      operationId: 'getScopeBreakdown',
      method: 'GET',
      path: `${ONE}/usage/breakdown`,
      summary: 'Spend by a dimension and over time, with or without a budget',
      built: true,
      params: ScopeParams,
      query: BreakdownQuery,
      responses: { 200: { description: 'Groups', schema: UsageBreakdown } },
    },
    {
      operationId: 'getScopeSummary',
      method: 'GET',
      path: `${ONE}/summary`,
      summary: 'Spend of a scope',
      built: true,
      params: ScopeParams,
      query: SummaryQuery,
      responses: { 200: { description: 'Totals', schema: UsageSummary } },
    },
    {
      operationId: 'getScopeUsageSummary',
      method: 'GET',
      path: `${ONE}/usage/summary`,
      summary: 'Spend of a scope',
      built: true,
      params: ScopeParams,
      query: SummaryQuery,
      responses: { 200: { description: 'Totals', schema: UsageSummary } },
    },
  ]),
  ...routes('periods', 'api', [
    {
      operationId: 'previewPeriods',
      method: 'POST',
      path: `${API}/periods/preview`,
      summary: 'Periods of a definition, the first one holding `at`',
      built: true,
      body: PeriodPreview,
      responses: { 200: { description: 'Periods', schema: Periods } },
    },
  ]),
];
