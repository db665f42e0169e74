import { z } from 'zod';
import { PLACEHOLDERS } from '../../values/message-template.js';
import { MAX_BALANCE_PICOS } from '../../values/money.js';
import { BudgetPatch } from '../budgets/patch.js';
import { amountText, currencyCode } from '../fields/amount.js';
import { field } from '../fields/field.js';
import { monthText } from '../fields/month.js';
import { scopeRef } from '../fields/scope.js';
import { freeText, label, oneOf, plainText, remark } from '../fields/text.js';
import { instantText } from '../fields/time.js';
import { PriceBody } from '../prices/price-list.js';
import { readMetadata } from '../usage/parts.js';

/** `POST /what-if`: a scope's history against another definition or other prices. */
export const WhatIfBody = z
  .strictObject({
    budgetId: plainText(128).optional(),
    scope: scopeRef.optional(),
    from: instantText,
    to: instantText.optional(),
    budget: BudgetPatch.optional(),
    prices: z.array(PriceBody).min(1).max(1_000).optional(),
  })
  .meta({ id: 'WhatIfInput' });

/** `POST /approvals`: a blocked caller asks for more. */
export const ApprovalBody = z
  .strictObject({
    budgetId: plainText(128),
    amount: amountText({ positive: true, max: MAX_BALANCE_PICOS }),
    currency: currencyCode.optional(),
    reason: label(1_000),
  })
  .meta({ id: 'ApprovalInput' });

/** `POST /transfers`: unused allowance from one budget to another. */
export const TransferBody = z
  .strictObject({
    fromBudgetId: plainText(128),
    toBudgetId: plainText(128),
    amount: amountText({ positive: true, max: MAX_BALANCE_PICOS }),
    currency: currencyCode.optional(),
    reason: remark(1_000),
  })
  .meta({ id: 'TransferInput' });

/** `PUT /notification-templates/:event`. */
export const NotificationTemplateBody = z
  .strictObject({ subject: plainText(500), text: freeText(20_000), html: freeText(100_000).optional() })
  .meta({ id: 'NotificationTemplateInput', description: `Placeholders: ${PLACEHOLDERS.map((name) => `{{${name}}}`).join(', ')}` });
export type NotificationTemplateInput = z.output<typeof NotificationTemplateBody>;

/** `POST /reports`. */
export const ReportBody = z
  .strictObject({
    kind: oneOf('monthly', 'chargeback').default('monthly'),
    month: monthText.optional(),
    scope: scopeRef.optional(),
    format: oneOf('markdown', 'html', 'csv').default('markdown'),
    schedule: oneOf('once', 'monthly').default('once'),
  })
  .meta({ id: 'ReportInput' });

/** What LiteLLM posts is its own to define: any object, or for logs also a list of them. */
export const LitellmAlertBody = field({ id: 'LitellmAlert', type: 'object' }, readMetadata);
export const LitellmLogsBody = z.unknown().meta({
  id: 'LitellmLogs',
  description: 'One record, an array of them, or NDJSON',
  oneOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' } }],
});
