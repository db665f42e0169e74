import { z } from 'zod';
import { MAX_BALANCE_PICOS } from '../../values/money.js';
import { amountText, smallNumber } from '../fields/amount.js';
import { spokenAmount } from '../fields/money.js';
import { scopeRef, tenantIdText } from '../fields/scope.js';
import { flag, label, oneOf, plainText } from '../fields/text.js';
import { durationText, instantText } from '../fields/time.js';

export const TenantParams = z.strictObject({ tenantId: tenantIdText });

/** `PUT /billing/monthly-cap`. */
export const MonthlyCapBody = z.strictObject({ amount: spokenAmount() }).meta({ id: 'MonthlyCapInput' });
/** `PUT /billing/override`. */
export const BillingOverrideBody = z
  .strictObject({ enabled: flag, reason: label(1_000).optional(), duration: durationText.optional() })
  .meta({ id: 'BillingOverrideInput' });

/**
 * `PUT /admin/tenants/:tenantId/budget`: the tenant profile of PRODUCT B6, in the tenant's currency. What is left out stays as it is, or
 * is the template's (`tenant`) at first.
 */
export const TenantBudgetBody = z
  .strictObject({
    maxBudget: amountText({ positive: true, max: MAX_BALANCE_PICOS }).optional(),
    alertThreshold: smallNumber(50, 100).optional(),
    graceThreshold: smallNumber(100, 150).optional(),
    budgetDuration: durationText.optional(),
  })
  .meta({ id: 'TenantBudgetInput' });
export type TenantBudgetInput = z.output<typeof TenantBudgetBody>;

/** `POST /admin/tenants/:tenantId/budget-override`. */
export const TenantOverrideBody = z
  .strictObject({ overrideAmount: amountText({ positive: true, max: MAX_BALANCE_PICOS }), duration: durationText, reason: label(1_000) })
  .meta({ id: 'TenantOverrideInput' });
export type TenantOverrideInput = z.output<typeof TenantOverrideBody>;

const role = oneOf('producer', 'viewer', 'user', 'tenant_admin', 'platform_admin');

export const UserBody = z
  .strictObject({
    id: plainText(128),
    name: label(200).optional(),
    email: plainText(320).optional(),
    roles: z.array(role).max(5).optional(),
  })
  .meta({ id: 'UserInput' });
export const UserPatch = z
  .strictObject({
    name: label(200).nullable().optional(),
    email: plainText(320).nullable().optional(),
    roles: z.array(role).max(5).optional(),
    disabled: flag.optional(),
  })
  .meta({ id: 'UserPatch' });

/** `POST /api-keys`: the key itself is shown once, in the answer. */
export const ApiKeyBody = z
  .strictObject({
    name: label(200),
    roles: z.array(role).min(1).max(5),
    user: plainText(128).optional(),
    scope: scopeRef.optional(),
    expiresAt: instantText.optional(),
  })
  .meta({ id: 'ApiKeyInput' });

export const NatsCredentialsBody = z.strictObject({ role: oneOf('producer', 'subscriber') }).meta({ id: 'NatsCredentialsInput' });
