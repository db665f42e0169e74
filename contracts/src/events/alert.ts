import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredMoney } from './wire.js';

/** What enforcement does next, as the definition stood: the lowest threshold not reached yet, or the block point. */
const NextStep = z.object({
  kind: z.enum(['threshold', 'block', 'pause']),
  percent: z.string().optional(),
  amount: StoredAmount.optional(),
  severity: z.enum(['info', 'warning', 'critical']).optional(),
  actions: z.array(z.string()),
});
export type NextStep = z.infer<typeof NextStep>;

/** What an alert is made of; what does not apply is null or absent. Amounts are of `currency`, percentages decimal text. */
const AlertDetails = z.object({
  currency: z.string().nullable(),
  currentSpend: StoredAmount.nullable(),
  /** The limit in force with grants and what was carried over; null: unlimited. */
  limit: StoredAmount.nullable(),
  /** Of spend ÷ limit × 100, two digits, rounded down. */
  percentUsed: z.string().nullable(),
  periodStart: StoredInstant.nullable(),
  periodEnd: StoredInstant.nullable(),
  /** This period is the budget's only one: nothing begins anew when it ends. Absent: it recurs, or that is not known. */
  oneOff: z.literal(true).optional(),
  /** The budget's, in which dates of a message are written. */
  timezone: z.string().nullable(),
  blockPoint: StoredAmount.nullable(),
  next: NextStep.nullable(),
  /** Of threshold alerts: `80%` or `amount:400`, the number of a percentage, and which crossing in the period. */
  threshold: z.string().optional(),
  percent: z.string().optional(),
  episode: z.number().int().optional(),
  actions: z.array(z.string()).optional(),
  allowedModels: z.array(z.string()).optional(),
  downgrade: z.record(z.string(), z.string()).optional(),
  /** Who did it by hand, and why they said. */
  by: z.string().nullable().optional(),
  reason: z.string().nullable().optional(),
  automatic: z.boolean().optional(),
  override: z
    .object({
      overrideId: z.string(),
      amount: StoredMoney.nullable(),
      enforcement: z.literal('off').nullable(),
      expiresAt: StoredInstant.nullable(),
    })
    .optional(),
  /** Of a period's report. */
  report: z
    .object({
      events: z.number().int(),
      failedSpend: StoredAmount,
      failedEvents: z.number().int(),
      rolledOver: StoredAmount,
      cause: z.string().optional(),
      restatement: z.number().int().optional(),
      previousSpend: StoredAmount.optional(),
    })
    .optional(),
  /** Of a reset by hand. */
  reset: z.object({ previousLimit: StoredAmount.nullable(), previousSpend: StoredAmount, newLimit: StoredAmount.nullable() }).optional(),
  /** Of a blocked call: the first of its window. */
  refused: z.object({ code: z.string(), amount: StoredMoney, scopes: z.array(z.string()), category: z.string().optional() }).optional(),
  /** In place of `refused`, of one that has no amount: no price covers these units. */
  unpriced: z
    .object({ code: z.string(), units: z.array(z.string()), scopes: z.array(z.string()), category: z.string().optional() })
    .optional(),
});
export type AlertDetails = z.infer<typeof AlertDetails>;

/**
 * Stream `alert-<tenant>`, emitted by alerting, and nothing else is in it: its revision is the alert's gap-free number. One per
 * crossing, period end or lifecycle event; the id is derived from the event that caused it, so a replay of the ledger raises the same set.
 */
export const AlertRaised = defineEvent(
  'AlertRaised',
  1,
  z.object({
    /** The id of the event that caused it (of a blocked call: derived from budget, reason and window). */
    alertId: z.string(),
    /** As subscribers choose by it: `threshold.crossed`, `budget.paused`, `period.ended`, … */
    event: z.string(),
    /** `INFO`, `WARNING`, `CRITICAL`, `LIMIT`, `PAUSED`, `BLOCKED`, … */
    type: z.string(),
    severity: z.enum(['info', 'warning', 'critical']),
    budgetId: z.string().nullable(),
    budgetName: z.string().nullable(),
    scope: z.string().nullable(),
    message: z.string(),
    details: AlertDetails,
    /** Names of channels or types that the threshold chose; absent: every channel of the tenant. */
    channels: z.array(z.string()).optional(),
    /** `bursar`, or `litellm` for what a LiteLLM proxy told us. */
    source: z.string(),
    /** Position of the event that caused it. */
    causePosition: z.number().int(),
    /** When that was recorded. */
    at: StoredInstant,
  }),
);
export type AlertRaisedData = z.infer<typeof AlertRaised.data>;

/** What there are alerts of; channels choose among them. LiteLLM's are what its budget webhook tells of (PRODUCT A11). */
export const ALERT_EVENTS = [
  'threshold.crossed',
  'threshold.cleared',
  'budget.paused',
  'budget.resumed',
  'budget.reset',
  'budget.expired',
  'override.granted',
  'override.revoked',
  'override.expired',
  'period.started',
  'period.ended',
  'period.restated',
  'call.blocked',
  'litellm.threshold_crossed',
  'litellm.soft_budget_crossed',
  'litellm.budget_crossed',
  'litellm.projected_limit_exceeded',
] as const;

/** Stream `acknowledgement-<tenant>`, emitted by the api. Who is the event's actor, when its `recordedAt`. A second one changes nothing. */
export const AlertAcknowledged = defineEvent('AlertAcknowledged', 1, z.object({ alertId: z.string(), reason: z.string().nullable() }));

const Channel = z.object({
  channelId: z.string(),
  type: z.enum(['webhook', 'slack', 'email', 'file']),
  name: z.string(),
  /** Of a webhook; of a file, its path below the tenant's directory. */
  url: z.string().optional(),
  /** Of Slack, where whoever knows the address may post: encrypted like `secrets`. */
  sealedUrl: z.string().optional(),
  to: z.array(z.string()).optional(),
  events: z.array(z.string()).optional(),
  minSeverity: z.enum(['info', 'warning', 'critical']).optional(),
  rateLimit: z.object({ max: z.number().int(), per: z.string() }).optional(),
  /** What a webhook is signed with, encrypted (AES-256-GCM with the installation's key); newest first, the older signs too until `secretRotatesUntil`. */
  secrets: z.array(z.string()).optional(),
  secretRotatesUntil: StoredInstant.optional(),
  disabled: z.object({ reason: z.string(), at: StoredInstant }).optional(),
});
export type StoredChannel = z.infer<typeof Channel>;

/** Stream `tenant-<tenant>`: the whole channel as it is from here on. Emitted by the api, and by alerting where a target said 410. */
export const ChannelSaved = defineEvent('ChannelSaved', 1, Channel);
export const ChannelRemoved = defineEvent('ChannelRemoved', 1, z.object({ channelId: z.string() }));

/** Stream `tenant-<tenant>`: what this tenant's messages of an event say instead of ours; null: ours again. */
export const NotificationTemplateSaved = defineEvent(
  'NotificationTemplateSaved',
  1,
  z.object({
    event: z.string(),
    template: z.object({ subject: z.string().optional(), text: z.string(), html: z.string().optional() }).nullable(),
  }),
);

/**
 * Stream `litellm-<tenant>`, emitted by ingestion: LiteLLM's budget webhook told us something. Kept with the fields that it is made of, also
 * where it has no effect. Alerting makes an alert of source `litellm` of what is about a budget.
 */
export const LiteLlmNotified = defineEvent('LiteLlmNotified', 1, z.object({ event: z.string(), body: z.record(z.string(), z.unknown()) }));
