import {
  ApprovalBody,
  LitellmAlertBody,
  LitellmLogsBody,
  NotificationTemplateBody,
  ReportBody,
  TransferBody,
  WhatIfBody,
} from '../accounts/extras.js';
import { ReasonBody } from '../budgets/commands.js';
import { ReadQuery } from '../fields/query.js';
import { Anything } from '../responses/common.js';
import { LitellmAlertReceipt, LitellmLogResults } from '../responses/litellm.js';
import { NotificationTemplate } from '../responses/notification.js';
import { LITELLM_LOGS_BYTES } from '../usage/limits.js';
import { AuditQuery, FocusQuery, ListQuery, SuggestionsQuery, TokenQuery } from './queries.js';
import { API, type RouteRow, routes } from './route.js';

const done = { 200: { description: 'Done', schema: Anything } };
const made = { 201: { description: 'Made', schema: Anything } };
const csv = { 200: { description: 'CSV', contentType: 'text/csv' } };
const TEMPLATE = `${API}/notification-templates/:event`;

/** What describes the API, with and without the prefix. */
const documents = (prefix: string, suffix: string): readonly RouteRow[] => [
  {
    operationId: `getOpenApi${suffix}`,
    method: 'GET',
    path: `${prefix}/openapi.json`,
    summary: 'This document',
    built: true,
    responses: done,
  },
  {
    operationId: `getAsyncApi${suffix}`,
    method: 'GET',
    path: `${prefix}/asyncapi.json`,
    summary: 'The same for NATS',
    built: true,
    responses: done,
  },
  {
    operationId: `getDocs${suffix}`,
    method: 'GET',
    path: `${prefix}/docs`,
    summary: 'The documentation as a page',
    built: true,
    responses: { 200: { description: 'HTML', contentType: 'text/html' } },
  },
];

export const operationRoutes = [
  ...routes('litellm', 'ingestion', [
    {
      operationId: 'litellmBudgetAlert',
      method: 'POST',
      path: `${API}/budget-alerts`,
      summary: "LiteLLM's budget webhook",
      built: true,
      access: 'own',
      query: TokenQuery,
      body: LitellmAlertBody,
      responses: { 200: { description: 'Kept; what it means is worked out behind', schema: LitellmAlertReceipt } },
    },
    {
      operationId: 'litellmLogs',
      method: 'POST',
      path: `${API}/litellm/logs`,
      summary: "LiteLLM's generic log callback",
      query: TokenQuery,
      body: LitellmLogsBody,
      contentTypes: ['application/json', 'application/x-ndjson'],
      built: true,
      access: 'own',
      bodyBytes: LITELLM_LOGS_BYTES,
      responses: { 200: { description: 'Durable; a result per record, in order', schema: LitellmLogResults } },
    },
  ]),
  ...routes('planning', 'api', [
    {
      operationId: 'whatIf',
      method: 'POST',
      path: `${API}/what-if`,
      summary: 'History against another limit or other prices',
      body: WhatIfBody,
      responses: done,
    },
    {
      operationId: 'listSuggestions',
      method: 'GET',
      path: `${API}/suggestions`,
      summary: 'Where money could be saved',
      query: SuggestionsQuery,
      responses: done,
    },
    {
      operationId: 'requestApproval',
      method: 'POST',
      path: `${API}/approvals`,
      summary: 'Ask for more',
      body: ApprovalBody,
      responses: made,
    },
    {
      operationId: 'listApprovals',
      method: 'GET',
      path: `${API}/approvals`,
      summary: 'Requests for more',
      query: ListQuery,
      responses: done,
    },
    {
      operationId: 'approve',
      method: 'POST',
      path: `${API}/approvals/:id/approve`,
      summary: 'Grant it',
      body: ReasonBody,
      bodyOptional: true,
      responses: done,
    },
    {
      operationId: 'deny',
      method: 'POST',
      path: `${API}/approvals/:id/deny`,
      summary: 'Deny it',
      body: ReasonBody,
      bodyOptional: true,
      responses: done,
    },
    {
      operationId: 'transfer',
      method: 'POST',
      path: `${API}/transfers`,
      summary: 'Move unused allowance',
      body: TransferBody,
      responses: made,
    },
  ]),
  ...routes('reports', 'api', [
    {
      operationId: 'getNotificationTemplate',
      built: true,
      method: 'GET',
      path: TEMPLATE,
      summary: 'What a notice says',
      query: ReadQuery,
      responses: { 200: { description: 'The words in force', schema: NotificationTemplate } },
    },
    {
      operationId: 'putNotificationTemplate',
      built: true,
      method: 'PUT',
      path: TEMPLATE,
      summary: 'Say it otherwise',
      body: NotificationTemplateBody,
      responses: { 200: { description: 'The words in force', schema: NotificationTemplate } },
    },
    {
      operationId: 'deleteNotificationTemplate',
      built: true,
      method: 'DELETE',
      path: TEMPLATE,
      summary: 'Say it as shipped again',
      responses: { 204: { description: 'Done' } },
    },
    { operationId: 'listReports', method: 'GET', path: `${API}/reports`, summary: 'Reports', query: ListQuery, responses: done },
    {
      operationId: 'createReport',
      method: 'POST',
      path: `${API}/reports`,
      summary: 'Write a report',
      body: ReportBody,
      bodyOptional: true,
      responses: made,
    },
    {
      operationId: 'exportFocus',
      method: 'GET',
      path: `${API}/exports/focus.csv`,
      summary: 'Usage and cost in FOCUS columns',
      query: FocusQuery,
      responses: csv,
    },
    {
      operationId: 'listAudit',
      method: 'GET',
      path: `${API}/audit`,
      summary: 'Who did what, and when',
      query: AuditQuery,
      responses: done,
    },
    {
      operationId: 'getLitellmHealth',
      method: 'GET',
      path: `${API}/health/litellm`,
      summary: 'How the LiteLLM sync is doing',
      query: ReadQuery,
      responses: done,
    },
  ]),
  ...routes('documents', 'api', [...documents('', ''), ...documents(API, 'Prefixed')]),
];
