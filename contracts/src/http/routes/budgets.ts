import { BudgetBody } from '../budgets/body.js';
import { BudgetUsage, BulkBody, CsvBody, OverrideBody, ReasonBody, ResetBody, TemplateBody } from '../budgets/commands.js';
import { BudgetPatch } from '../budgets/patch.js';
import { ReadQuery } from '../fields/query.js';
import {
  Alert,
  AlertList,
  Budget,
  BudgetList,
  BudgetPeriodList,
  BudgetResetList,
  BudgetStatus,
  Hierarchy,
  Override,
  OverrideList,
} from '../responses/budget.js';
import { BulkResults, Template, TemplateList } from '../responses/bulk.js';
import { Anything } from '../responses/common.js';
import { ReservationList } from '../responses/enforcement.js';
import { BudgetUsageList, RecordedUsage, UsageBreakdown, UsageSummary } from '../responses/usage.js';
import { AsOfQuery, BreakdownQuery, BudgetListQuery, ListQuery, ScopeParams, SummaryQuery, UsageListQuery } from './queries.js';
import { API, type RouteRow, routes } from './route.js';

const BUDGETS = `${API}/budgets`;
const ONE = `${BUDGETS}/:id`;
const budget = { 200: { description: 'The budget', schema: Budget } };
const page = { 200: { description: 'A page', schema: Anything } };
const none = { 204: { description: 'Done' } };

/** What this step answers. */
const built: readonly RouteRow[] = [
  {
    operationId: 'createBudget',
    method: 'POST',
    path: BUDGETS,
    summary: 'Make a budget; it counts what already happened in its period',
    body: BudgetBody,
    responses: { 201: { description: 'Made', schema: Budget } },
  },
  {
    operationId: 'listBudgets',
    method: 'GET',
    path: BUDGETS,
    summary: 'Budgets, newest first',
    query: BudgetListQuery,
    responses: { 200: { description: 'A page', schema: BudgetList } },
  },
  {
    operationId: 'getBudget',
    method: 'GET',
    path: ONE,
    summary: 'Definition, status and last alerts',
    query: AsOfQuery,
    responses: budget,
  },
  { operationId: 'replaceBudget', method: 'PUT', path: ONE, summary: 'Replace a definition', body: BudgetBody, responses: budget },
  {
    operationId: 'patchBudget',
    method: 'PATCH',
    path: ONE,
    summary: 'Change some of it; null resets',
    body: BudgetPatch,
    contentTypes: ['application/json', 'application/merge-patch+json'],
    responses: budget,
  },
  { operationId: 'deleteBudget', method: 'DELETE', path: ONE, summary: 'Delete; its history stays', responses: none },
  {
    operationId: 'getBudgetStatus',
    method: 'GET',
    path: `${ONE}/status`,
    summary: 'Status',
    query: AsOfQuery,
    responses: { 200: { description: 'Status', schema: BudgetStatus } },
  },
  {
    operationId: 'listBudgetAlerts',
    method: 'GET',
    path: `${ONE}/alerts`,
    summary: 'Its alerts, newest first',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: AlertList } },
  },
  {
    operationId: 'listBudgetsOfScope',
    method: 'GET',
    path: `${BUDGETS}/scope/:type/:id`,
    summary: 'Budgets of a scope',
    params: ScopeParams,
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: BudgetList } },
  },
  {
    operationId: 'getHierarchy',
    method: 'GET',
    path: `${BUDGETS}/hierarchy/:type/:id`,
    summary: 'The tree below a scope, with balances',
    params: ScopeParams,
    query: AsOfQuery,
    responses: { 200: { description: 'The tree', schema: Hierarchy } },
  },
  {
    operationId: 'listBudgetUsage',
    method: 'GET',
    path: `${ONE}/usage`,
    summary: 'The usage it counted, newest first',
    query: UsageListQuery,
    responses: { 200: { description: 'A page', schema: BudgetUsageList } },
  },
  {
    operationId: 'getBudgetUsageSummary',
    method: 'GET',
    path: `${ONE}/usage/summary`,
    summary: 'What it counted, of its current period unless told',
    query: SummaryQuery,
    responses: { 200: { description: 'Totals', schema: UsageSummary } },
  },
  {
    operationId: 'getBudgetUsageBreakdown',
    method: 'GET',
    path: `${ONE}/usage/breakdown`,
    summary: 'What it counted by any dimension and over time, of its current period unless told',
    query: BreakdownQuery,
    responses: { 200: { description: 'Groups', schema: UsageBreakdown } },
  },
  {
    operationId: 'pauseBudget',
    method: 'POST',
    path: `${ONE}/pause`,
    summary: 'Refuse everything until resumed',
    body: ReasonBody,
    bodyOptional: true,
    responses: budget,
  },
  {
    operationId: 'resumeBudget',
    method: 'POST',
    path: `${ONE}/resume`,
    summary: 'Resume',
    body: ReasonBody,
    bodyOptional: true,
    responses: budget,
  },
  {
    operationId: 'grantOverride',
    method: 'POST',
    path: `${ONE}/overrides`,
    summary: 'More room, or no enforcement, for a while',
    body: OverrideBody,
    responses: { 201: { description: 'Granted', schema: Override } },
  },
  {
    operationId: 'listOverrides',
    method: 'GET',
    path: `${ONE}/overrides`,
    summary: 'Every override there was, newest first',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: OverrideList } },
  },
  { operationId: 'revokeOverride', method: 'DELETE', path: `${ONE}/overrides/:overrideId`, summary: 'Revoke an override', responses: none },
  {
    operationId: 'bulkBudgets',
    method: 'POST',
    path: `${BUDGETS}/bulk`,
    summary: 'Make or replace many; one that is refused takes none of the others with it',
    body: BulkBody,
    responses: { 200: { description: 'A result per budget, in request order', schema: BulkResults } },
  },
  {
    operationId: 'exportBudgets',
    method: 'GET',
    path: `${BUDGETS}/export.csv`,
    summary: 'All budgets as CSV, oldest first',
    responses: { 200: { description: 'CSV', contentType: 'text/csv' } },
  },
  {
    operationId: 'importBudgets',
    method: 'POST',
    path: `${BUDGETS}/import`,
    summary: 'Budgets from CSV: with an id changed, without one made; columns that are absent stay as they are',
    body: CsvBody,
    contentTypes: ['text/csv'],
    responses: { 200: { description: 'A result per line', schema: BulkResults } },
  },
  {
    operationId: 'listTemplates',
    method: 'GET',
    path: `${API}/templates`,
    summary: 'Budget templates by name',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: TemplateList } },
  },
  {
    operationId: 'createTemplate',
    method: 'POST',
    path: `${API}/templates`,
    summary: 'Name a template, or give a name another content',
    body: TemplateBody,
    responses: { 201: { description: 'Saved', schema: Template } },
  },
  {
    operationId: 'deleteTemplate',
    method: 'DELETE',
    path: `${API}/templates/:name`,
    summary: 'Remove a template of your own; the shipped one of that name is there again',
    responses: none,
  },
  {
    operationId: 'recordBudgetUsage',
    method: 'POST',
    path: `${ONE}/usage`,
    summary: "Record one usage event on this budget's scope",
    body: BudgetUsage,
    responses: { 201: { description: 'Recorded', schema: RecordedUsage } },
  },
  {
    operationId: 'resetBudget',
    method: 'POST',
    path: `${ONE}/reset`,
    summary: 'Begin a new period now, to the same boundary; the one before keeps what is in it',
    body: ResetBody,
    bodyOptional: true,
    responses: budget,
  },
  {
    operationId: 'listBudgetPeriods',
    method: 'GET',
    path: `${ONE}/periods`,
    summary: 'Periods, newest first, the open one included',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: BudgetPeriodList } },
  },
  {
    operationId: 'listBudgetResets',
    method: 'GET',
    path: `${ONE}/resets`,
    summary: 'Where a new period began, by hand or by the calendar, newest first',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: BudgetResetList } },
  },
];

const later: readonly RouteRow[] = [
  {
    operationId: 'getBudgetForecast',
    method: 'GET',
    path: `${ONE}/forecast`,
    summary: 'When it will be used up',
    query: ReadQuery,
    responses: page,
  },
  {
    operationId: 'getBudgetHistory',
    method: 'GET',
    path: `${ONE}/history`,
    summary: 'What happened to it',
    query: ListQuery,
    responses: page,
  },
  {
    operationId: 'listBudgetReservations',
    method: 'GET',
    path: `${ONE}/reservations`,
    summary: 'Open holds on it, newest first',
    built: true,
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: ReservationList } },
  },
  {
    operationId: 'acknowledgeBudgetAlert',
    built: true,
    method: 'POST',
    path: `${ONE}/alerts/:alertId/acknowledge`,
    summary: 'Acknowledge an alert',
    body: ReasonBody,
    bodyOptional: true,
    responses: { 200: { description: 'The alert', schema: Alert } },
  },
  {
    operationId: 'refreshBudgetCache',
    method: 'POST',
    path: `${ONE}/refresh-cache`,
    summary: 'Re-read the balance from the ledger',
    responses: { 200: { description: 'Whether anything differed', schema: Anything } },
  },
];

export const budgetRoutes = routes('budgets', 'api', [...built.map((row) => ({ ...row, built: true })), ...later]);
