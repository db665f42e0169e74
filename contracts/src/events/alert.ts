import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredInstant } from './wire.js';

/**
 * Stream `alert-<tenant>`, emitted by alerting: one per crossing, period end or lifecycle event; the id is derived from the event that
 * caused it, so a replay of the ledger raises the same set. The stream's revision is the alert's gap-free number.
 */
export const AlertRaised = defineEvent(
  'AlertRaised',
  1,
  z.object({
    alertId: z.string(),
    /** As subscribers choose by it: `threshold.crossed`, `budget.paused`, `period.ended`, … */
    event: z.string(),
    type: z.string(),
    severity: z.enum(['info', 'warning', 'critical']),
    budgetId: z.string().nullable(),
    budgetName: z.string().nullable(),
    scope: z.string().nullable(),
    message: z.string(),
    /** What the alert is made of: figures, period, threshold, actions; money as decimal text. */
    details: z.record(z.string(), z.unknown()),
    /** Names of channels or types that the threshold chose; absent: every channel of the tenant. */
    channels: z.array(z.string()).optional(),
    /** `bursar`, or `litellm` for what a LiteLLM proxy told us. */
    source: z.string(),
    causePosition: z.number().int(),
    at: StoredInstant,
  }),
);

/** Stream `alert-<tenant>`, emitted by the api. Who is the event's actor, when its `recordedAt`. A second one changes nothing. */
export const AlertAcknowledged = defineEvent('AlertAcknowledged', 1, z.object({ alertId: z.string(), reason: z.string().nullable() }));

const Channel = z.object({
  channelId: z.string(),
  type: z.enum(['webhook', 'slack', 'email', 'file']),
  name: z.string(),
  url: z.string().optional(),
  to: z.array(z.string()).optional(),
  events: z.array(z.string()).optional(),
  minSeverity: z.enum(['info', 'warning', 'critical']).optional(),
  rateLimit: z.object({ max: z.number().int(), per: z.string() }).optional(),
  /** Encrypted (AES-256-GCM with the installation's key); newest first, the older one signs too until `secretRotatesUntil`. */
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

/** Stream `alert-<tenant>`: a LiteLLM proxy told us something; kept as it came, so that its effect can be replayed. */
export const LiteLlmNotified = defineEvent('LiteLlmNotified', 1, z.object({ event: z.string(), body: z.record(z.string(), z.unknown()) }));
