import { TenantSettingsBody } from '../accounts/settings.js';
import {
  ApiKeyBody,
  BillingOverrideBody,
  MonthlyCapBody,
  NatsCredentialsBody,
  TenantBudgetBody,
  TenantOverrideBody,
  TenantParams,
  UserBody,
  UserPatch,
} from '../accounts/tenant.js';
import { ConfigureUserBudget, ResetUserBudget, UserBudgetSettings } from '../accounts/user-budget.js';
import { ReasonBody } from '../budgets/commands.js';
import { ReadQuery } from '../fields/query.js';
import { Anything } from '../responses/common.js';
import { TenantBudget, TenantOverride, TenantSettingsAnswer } from '../responses/tenant.js';
import { BillingStatusQuery, BreakdownQuery, ListQuery, MonthQuery, UsageListQuery } from './queries.js';
import { API, type RouteRow, routes } from './route.js';

const done = { 200: { description: 'Done', schema: Anything } };
const made = { 201: { description: 'Made', schema: Anything } };
const none = { 204: { description: 'Done' } };

/** Also without the prefix: its callers were there before Bursar. */
const tenantBudget = (prefix: string, suffix: string): readonly RouteRow[] => [
  {
    operationId: `setTenantBudget${suffix}`,
    isVersioned: true,
    method: 'PUT',
    path: `${prefix}/admin/tenants/:tenantId/budget`,
    summary: "Set a tenant's budget",
    built: true,
    params: TenantParams,
    body: TenantBudgetBody,
    responses: { 200: { description: 'The budget', schema: TenantBudget } },
  },
  {
    operationId: `grantTenantOverride${suffix}`,
    method: 'POST',
    path: `${prefix}/admin/tenants/:tenantId/budget-override`,
    summary: "A temporary increase of the tenant's budget",
    built: true,
    params: TenantParams,
    body: TenantOverrideBody,
    responses: { 201: { description: 'Granted', schema: TenantOverride } },
  },
  {
    operationId: `revokeTenantOverride${suffix}`,
    method: 'DELETE',
    path: `${prefix}/admin/tenants/:tenantId/budget-override`,
    summary: 'End what is live of it',
    built: true,
    params: TenantParams,
    responses: none,
  },
];

export const accountRoutes = [
  ...routes('users', 'api', [
    {
      operationId: 'getMyBudgetStatus',
      method: 'GET',
      path: `${API}/budget/status`,
      summary: "The caller's status and permissions",
      query: ReadQuery,
      responses: done,
    },
    {
      operationId: 'getMyBudgetSettings',
      method: 'GET',
      path: `${API}/budget/settings`,
      summary: "The caller's settings",
      query: ReadQuery,
      responses: done,
    },
    {
      operationId: 'putMyBudgetSettings',
      method: 'PUT',
      path: `${API}/budget/settings`,
      summary: 'Change them, where permitted',
      body: UserBudgetSettings,
      responses: done,
    },
    {
      operationId: 'resetMyBudget',
      method: 'POST',
      path: `${API}/budget/reset`,
      summary: 'Begin a new period, where permitted',
      body: ReasonBody,
      bodyOptional: true,
      responses: done,
    },
    {
      operationId: 'getMyUsageBreakdown',
      method: 'GET',
      path: `${API}/budget/usage/breakdown`,
      summary: "The caller's spend by provider and model",
      query: BreakdownQuery,
      responses: done,
    },
    {
      operationId: 'getMyUsageHistory',
      method: 'GET',
      path: `${API}/budget/usage/history`,
      summary: "The caller's usage",
      query: UsageListQuery,
      responses: done,
    },
    {
      operationId: 'configureUserBudget',
      method: 'PUT',
      path: `${API}/budget/admin/configure`,
      summary: "Set a user's budget and permissions",
      body: ConfigureUserBudget,
      responses: done,
    },
    {
      operationId: 'listUserBudgets',
      method: 'GET',
      path: `${API}/budget/admin/list`,
      summary: 'All user budgets with a summary',
      query: ListQuery,
      responses: done,
    },
    {
      operationId: 'resetUserBudget',
      method: 'POST',
      path: `${API}/budget/admin/reset/:userId`,
      summary: "Reset a user's budget",
      body: ResetUserBudget,
      bodyOptional: true,
      responses: done,
    },
    { operationId: 'listUsers', method: 'GET', path: `${API}/users`, summary: 'Users', query: ListQuery, responses: done },
    { operationId: 'createUser', method: 'POST', path: `${API}/users`, summary: 'Add a user', body: UserBody, responses: made },
    { operationId: 'patchUser', method: 'PATCH', path: `${API}/users/:id`, summary: 'Change a user', body: UserPatch, responses: done },
  ]),
  ...routes('billing', 'api', [
    {
      operationId: 'getMonthlySummary',
      method: 'GET',
      path: `${API}/billing/monthly-summary`,
      summary: 'A month: budget, spend, campaigns, agents',
      query: MonthQuery,
      responses: done,
    },
    {
      operationId: 'listCampaignSpend',
      method: 'GET',
      path: `${API}/billing/campaigns`,
      summary: 'Spend by campaign',
      query: MonthQuery,
      responses: done,
    },
    {
      operationId: 'setMonthlyCap',
      method: 'PUT',
      path: `${API}/billing/monthly-cap`,
      summary: 'Set the monthly cap',
      body: MonthlyCapBody,
      responses: done,
    },
    {
      operationId: 'setBillingOverride',
      method: 'PUT',
      path: `${API}/billing/override`,
      summary: 'Switch the override',
      body: BillingOverrideBody,
      responses: done,
    },
    {
      operationId: 'getBillingStatus',
      method: 'GET',
      path: `${API}/billing/status`,
      summary: 'May a campaign run?',
      query: BillingStatusQuery,
      responses: done,
    },
  ]),
  ...routes('tenants', 'api', [
    ...tenantBudget(API, ''),
    ...tenantBudget('', 'Unprefixed'),
    {
      operationId: 'getTenantSettings',
      method: 'GET',
      path: `${API}/tenants/:tenantId/settings`,
      summary: "A tenant's settings; secrets are only said to be there",
      built: true,
      params: TenantParams,
      query: ReadQuery,
      responses: { 200: { description: 'All of them', schema: TenantSettingsAnswer } },
    },
    {
      operationId: 'putTenantSettings',
      isVersioned: true,
      method: 'PUT',
      path: `${API}/tenants/:tenantId/settings`,
      summary: 'Change some; what is left out stays, null is the default again',
      built: true,
      params: TenantParams,
      body: TenantSettingsBody,
      responses: { 200: { description: 'All of them', schema: TenantSettingsAnswer } },
    },
  ]),
  ...routes('access', 'api', [
    {
      operationId: 'createApiKey',
      method: 'POST',
      path: `${API}/api-keys`,
      summary: 'Make a key; it is shown once',
      body: ApiKeyBody,
      responses: made,
    },
    { operationId: 'listApiKeys', method: 'GET', path: `${API}/api-keys`, summary: 'Keys', query: ListQuery, responses: done },
    { operationId: 'revokeApiKey', method: 'DELETE', path: `${API}/api-keys/:id`, summary: 'Revoke a key', responses: none },
    {
      operationId: 'createNatsCredentials',
      method: 'POST',
      path: `${API}/nats-credentials`,
      summary: 'Credentials for NATS',
      body: NatsCredentialsBody,
      responses: made,
    },
  ]),
];
