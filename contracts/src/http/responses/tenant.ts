import { z } from 'zod';
import { Budget, Override } from './budget.js';
import { Amount, Instant } from './common.js';

/** Secrets are write-only: `…Set` says whether there is one, `keys` show their last four characters. */
const Litellm = z.object({
  proxyUrl: z.string().nullable(),
  keys: z.array(z.string()),
  masterKeySet: z.boolean(),
  webhookSecretSet: z.boolean(),
  webhookTokenSet: z.boolean(),
});

export const TenantSettingsAnswer = z
  .object({
    tenantId: z.string(),
    profile: z.string(),
    adminContact: z.string().nullable(),
    defaultChannels: z.array(z.string()),
    userDefaults: z.object({ limit: Amount, adminLimit: Amount, budgetVisibleToUser: z.boolean() }),
    unpricedPolicy: z.enum(['count_when_priced', 'fallback_price', 'deny']),
    fallbackPrice: z.object({ unit: z.string(), amount: Amount, currency: z.string(), per: z.int() }).nullable(),
    unreservedPolicy: z.enum(['count', 'deny']).meta({
      description: 'Of usage that names no reservation and that a budget which blocks counts: counted, flagged `unreserved`, or rejected',
    }),
    alertWindow: z.string(),
    lateWindow: z.string().nullable(),
    allocation: z.array(z.object({ scope: z.string(), percent: Amount })),
    tenantAdminMayOverride: z.boolean(),
    currency: z.string(),
    litellm: Litellm.nullable(),
    /** How often they were changed: the ETag. */
    revision: z.int(),
    updatedAt: Instant.nullable(),
    updatedBy: z.string().nullable(),
  })
  .meta({ id: 'TenantSettings' });

/** The budget with the tenant profile's own names for what it says. */
export const TenantBudget = Budget.extend({
  tenantId: z.string(),
  maxBudget: Amount,
  alertThreshold: z.number(),
  graceThreshold: z.number(),
  budgetDuration: z.string(),
}).meta({ id: 'TenantBudget' });

export const TenantOverride = Override.extend({ tenantId: z.string(), budgetId: z.string() }).meta({ id: 'TenantOverride' });
