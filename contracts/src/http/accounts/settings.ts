import { z } from 'zod';
import { elapsedSeconds, readDuration } from '../../values/duration.js';
import { MAX_BALANCE_PICOS } from '../../values/money.js';
import { amountText, currencyCode, wholeNumber } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { field } from '../fields/field.js';
import { flag, oneOf, plainText } from '../fields/text.js';
import { PRICE_SCALE } from '../prices/price-list.js';
import { LIMITS } from '../usage/limits.js';
import { readAllocation } from '../usage/parts.js';

const limit = amountText({ max: MAX_BALANCE_PICOS });

/** A length of time without months or years, which have no length of their own. */
const elapsedText = field({ type: 'string', description: '30m, 12h, 35d, 2w; no months', examples: ['35d'] }, (value) => {
  const parts = readDuration(value);
  return parts === null || elapsedSeconds(parts) === null ? new Complaint('duration_format') : (value as string);
});

/** What a unit without a price costs. */
const fallbackPrice = z
  .strictObject({
    amount: amountText({ scale: PRICE_SCALE, positive: true, max: 10n ** 12n * 10n ** BigInt(PRICE_SCALE) }),
    currency: currencyCode.optional(),
    per: wholeNumber(1, 1e12).default(1),
    unit: plainText(LIMITS.quantityName).default('*'),
  })
  .meta({ id: 'FallbackPrice', description: 'Of every unit that no list prices, or of those that `unit` matches' });

const allocation = field(
  {
    type: 'array',
    maxItems: LIMITS.allocation,
    items: {
      type: 'object',
      properties: { scope: { $ref: '#/$defs/ScopeRef' }, percent: { type: ['string', 'number'] } },
      required: ['scope', 'percent'],
      additionalProperties: false,
    },
    description: 'Splits the cost of usage that brings no allocation of its own; percentages sum to 100; empty: none is split',
  },
  (value) => (Array.isArray(value) && value.length === 0 ? [] : readAllocation(value)),
);

/** Kept when it is left out, removed by null, never answered. */
const secret = plainText(1_000, 'Write-only').nullable().optional();
const litellm = z.strictObject({
  proxyUrl: field({ type: 'string', format: 'uri' }, (value) => readHttpUrl(value))
    .nullable()
    .optional(),
  masterKey: secret,
  keys: z.array(plainText(1_000)).max(1_000).optional(),
  webhookSecret: secret,
  webhookToken: secret,
});

const readHttpUrl = (value: unknown): string | Complaint => {
  const isUrl = typeof value === 'string' && value.length <= 2_000 && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  return isUrl ? value : new Complaint('text_format', 'Expected an http or https URL');
};

/** `PUT /tenants/:tenantId/settings` (PRODUCT F7): what is left out stays as it is, null is the default again. */
export const TenantSettingsBody = z
  .strictObject({
    profile: oneOf('default', 'tenant', 'user', 'billing').nullable().optional(),
    adminContact: plainText(320).nullable().optional(),
    defaultChannels: z.array(plainText(200)).max(50).nullable().optional(),
    userDefaults: z
      .strictObject({ limit: limit.optional(), adminLimit: limit.optional(), budgetVisibleToUser: flag.optional() })
      .nullable()
      .optional(),
    unpricedPolicy: oneOf('count_when_priced', 'fallback_price', 'deny').nullable().optional(),
    fallbackPrice: fallbackPrice.nullable().optional(),
    unreservedPolicy: oneOf('count', 'deny').nullable().optional(),
    alertWindow: elapsedText.nullable().optional(),
    lateWindow: elapsedText.nullable().optional(),
    allocation: allocation.nullable().optional(),
    tenantAdminMayOverride: flag.nullable().optional(),
    currency: currencyCode.nullable().optional(),
    litellm: litellm.nullable().optional(),
  })
  .meta({ id: 'TenantSettingsInput' });
export type TenantSettingsInput = z.output<typeof TenantSettingsBody>;
