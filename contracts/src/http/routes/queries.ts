import { z } from 'zod';
import { amountText } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { coded, field } from '../fields/field.js';
import { monthText } from '../fields/month.js';
import { asOf, minPosition, page, queryFlag, queryText, readPosition } from '../fields/query.js';
import { scopeIdText, scopeRef, scopeTypeText } from '../fields/scope.js';
import { oneOf } from '../fields/text.js';
import { instantText, timeZone } from '../fields/time.js';

export const ListQuery = z.strictObject(page);
export const AsOfQuery = z.strictObject({ asOf: asOf.optional(), minPosition });
export const DryRunQuery = z.strictObject({ dryRun: queryFlag.default(false) });
export const ScopeParams = z.strictObject({ type: scopeTypeText, id: scopeIdText });

const KINDS = ['daily', 'weekly', 'monthly', 'quarterly', 'annual', 'yearly', 'rolling', 'custom'] as const;
const kind = oneOf(...KINDS).transform((sent) => (sent === 'yearly' ? 'annual' : sent));

export const BudgetListQuery = z.strictObject({
  ...page,
  scopeType: scopeTypeText.optional(),
  scopeId: scopeIdText.optional(),
  status: oneOf('ok', 'warning', 'critical', 'exceeded', 'paused', 'counting').optional(),
  period: kind.optional(),
  q: queryText(200).optional(),
});

export const ScopeListQuery = z.strictObject({
  ...page,
  type: scopeTypeText.optional(),
  parent: scopeRef.optional(),
  q: queryText(200).optional(),
});

const range = { from: instantText.optional(), to: instantText.optional() };
const inOrder = ({ from, to }: { from?: string; to?: string }): boolean =>
  from === undefined || to === undefined || Date.parse(from) < Date.parse(to);
const ORDER = coded('order', ['to'], 'to has to be after from');

/** Spend by a dimension, over time if `granularity` says how; months and days are those of `timezone` (UTC). */
export const BreakdownQuery = z
  .strictObject({
    by: queryText(128).optional(),
    granularity: oneOf('hour', 'day', 'week', 'month').optional(),
    ...range,
    timezone: timeZone.optional(),
    minPosition,
  })
  .refine(inOrder, ORDER);
export const SummaryQuery = z.strictObject({ ...range, timezone: timeZone.optional(), minPosition }).refine(inOrder, ORDER);

export const UsageListQuery = z
  .strictObject({
    ...page,
    ...range,
    status: oneOf('succeeded', 'failed', 'refused').optional(),
    category: queryText(256).optional(),
    model: queryText(1024).optional(),
    provider: queryText(1024).optional(),
    agent: queryText(1024).optional(),
    campaign: queryText(1024).optional(),
  })
  .refine(inOrder, ORDER);

export const AlertListQuery = z.strictObject({
  ...page,
  after: field({ type: 'string', description: '<partition>:<position>' }, readPosition).optional(),
  budgetId: queryText(128).optional(),
  type: queryText(32).optional(),
  severity: oneOf('info', 'warning', 'critical').optional(),
  acknowledged: queryFlag.optional(),
});
export type AlertListQuery = z.output<typeof AlertListQuery>;

const TOPICS: Readonly<Record<string, 'balances' | 'alerts'>> = {
  balances: 'balances',
  balance: 'balances',
  budgets: 'balances',
  budget: 'balances',
  alerts: 'alerts',
  alert: 'alerts',
};
const topics = field(
  { type: 'string', description: '`balances`, `alerts`, or both, separated by a comma', examples: ['balances,alerts'] },
  (value) => {
    const named = typeof value === 'string' ? value.split(',').map((name) => TOPICS[name.trim()]) : [undefined];
    const known = named.flatMap((topic) => topic ?? []);
    return known.length === named.length ? known : new Complaint('not_allowed', 'Expected balances, alerts, or both');
  },
);

/** Of budgets on `scope` alone, when it is given. */
export const StreamQuery = z.strictObject({ topics: topics.default(['balances', 'alerts']), scope: scopeRef.optional() });
export type StreamQuery = z.output<typeof StreamQuery>;
export const MonthQuery = z.strictObject({ month: monthText.optional(), minPosition });
export const BillingStatusQuery = z.strictObject({ campaignId: queryText(128).optional(), estimate: amountText().optional(), minPosition });
export const AuditQuery = z
  .strictObject({ ...page, actor: queryText(256).optional(), action: queryText(64).optional(), ...range })
  .refine(inOrder, ORDER);
export const FocusQuery = z.strictObject({ ...range, scope: scopeRef.optional() }).refine(inOrder, ORDER);
export const SuggestionsQuery = z.strictObject({ scope: scopeRef.optional(), minPosition });
export const TokenQuery = z.strictObject({ token: queryText(512).optional() });
