import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredDecimal, StoredInstant, StoredScope } from './wire.js';

/** One price: `amount` of the list's currency per `per` units of `unit`, for usage of `meter` whose dimensions match. */
export const StoredPrice = z.object({
  meter: z.string(),
  match: z.record(z.string(), z.string()),
  unit: z.string(),
  /** Decimal text, up to 24 fraction digits, every digit kept. */
  amount: StoredDecimal,
  per: z.number().int().positive(),
  /** Only for events whose quantities satisfy it, e.g. {"inputTokens":{"gt":"272000"}}. */
  when: z.record(z.string(), z.partialRecord(z.enum(['gt', 'gte', 'lt', 'lte']), StoredDecimal)).optional(),
});
export type Price = z.infer<typeof StoredPrice>;

/** Set while PricesAdded with the rest follow: usage that waits for a price is charged by the whole list, never by half of it. */
const MorePrices = z.literal(true).optional();

/** Stream `tenant-<tenant>`. A list is in force for usage with occurredAt ≥ effectiveFrom, from this position on. Emitted by the api. */
export const PriceListCreated = defineEvent(
  'PriceListCreated',
  1,
  z.object({
    listId: z.string(),
    name: z.string(),
    currency: z.string(),
    effectiveFrom: StoredInstant,
    from: z.string().optional(),
    prices: z.array(StoredPrice),
    more: MorePrices,
  }),
);
/** The rest of a long list, in the same append (at most 500 prices an event keep a range within one bus message). */
export const PricesAdded = defineEvent('PricesAdded', 1, z.object({ listId: z.string(), prices: z.array(StoredPrice), more: MorePrices }));

/** 1 `from` = `rate` `to`, for usage with occurredAt ≥ effectiveFrom until a later one. */
export const ExchangeRateSet = defineEvent(
  'ExchangeRateSet',
  1,
  z.object({ from: z.string(), to: z.string(), rate: StoredDecimal, effectiveFrom: StoredInstant }),
);

/** A template under a name: from here on it has this content. Its fields are as they were sent, and checked again when used. */
export const TemplateSaved = defineEvent('TemplateSaved', 1, z.object({ name: z.string(), budget: z.record(z.string(), z.unknown()) }));

/**
 * Prices of a list were wrong (PRODUCT J9): from this position on these stand instead of those of the same meter, match, unit and
 * condition, and past usage that the list rated, or would have rated, is rerated by `UsageRerated` events of this `correctionId`. Many
 * prices go on in `PricesAdded` of the same append.
 */
export const PricesCorrected = defineEvent(
  'PricesCorrected',
  1,
  z.object({ correctionId: z.string(), listId: z.string(), prices: z.array(StoredPrice), more: MorePrices }),
);

/** The shipped template of that name again, or none. */
export const TemplateRemoved = defineEvent('TemplateRemoved', 1, z.object({ name: z.string() }));

/** What a unit without a price costs, where the tenant says so; `unit` may hold `*`. */
const FallbackPrice = z.object({
  unit: z.string(),
  amount: StoredDecimal,
  currency: z.string(),
  per: z.number().int().positive(),
});

/** Sealed (AES-256-GCM with the installation's key): nothing but the service that uses one opens it. */
const Sealed = z.string();

/** Everything a tenant has set (PRODUCT F7), complete. */
export const StoredSettings = z.object({
  /** Whose texts its messages have (PRODUCT D6). */
  profile: z.enum(['default', 'tenant', 'user', 'billing']),
  adminContact: z.string().nullable(),
  /** Names or types of channels; empty: every channel of the tenant. */
  defaultChannels: z.array(z.string()),
  /** What the budget of a user who is seen first is made with, in the tenant's currency. */
  userDefaults: z.object({ limit: StoredAmount, adminLimit: StoredAmount, budgetVisibleToUser: z.boolean() }),
  /** What becomes of usage that no price covers (PRODUCT A5). */
  unpricedPolicy: z.enum(['count_when_priced', 'fallback_price', 'deny']),
  fallbackPrice: FallbackPrice.nullable(),
  /** What becomes of usage that names no reservation and that a budget which blocks counts (RELIABILITY F29). Absent in older events. */
  unreservedPolicy: z.enum(['count', 'deny']).optional(),
  /** A repeat of a notice within it is suppressed (PRODUCT D3). */
  alertWindow: z.string(),
  /** How late usage may arrive; null: as late as the installation allows. */
  lateWindow: z.string().nullable(),
  /** How the cost of usage is split that brings no allocation of its own (PRODUCT A14); empty: it is not. */
  allocation: z.array(z.object({ scope: StoredScope, percent: StoredDecimal })),
  tenantAdminMayOverride: z.boolean(),
  /** Of amounts that name none. */
  currency: z.string(),
  litellm: z
    .object({
      proxyUrl: z.string().nullable(),
      masterKey: Sealed.nullable(),
      keys: z.array(Sealed),
      webhookSecret: Sealed.nullable(),
      webhookToken: Sealed.nullable(),
    })
    .nullable(),
});
export type TenantSettings = Required<z.infer<typeof StoredSettings>>;

/** Stream `tenant-<tenant>`, emitted by the api: all settings as they are from this position on. */
export const TenantSettingsChanged = defineEvent('TenantSettingsChanged', 1, z.object({ settings: StoredSettings }));
