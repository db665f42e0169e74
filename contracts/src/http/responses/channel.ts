import { z } from 'zod';
import { Instant, listOf } from './common.js';

/** Answers of the routes below /channels. */
export const ChannelAnswer = z
  .object({
    id: z.string(),
    type: z.enum(['webhook', 'slack', 'email', 'file']),
    name: z.string(),
    url: z.string().optional().meta({ description: 'Of Slack its origin only: whoever knows the rest may post' }),
    to: z.array(z.string()).optional(),
    events: z.array(z.string()).nullable(),
    minSeverity: z.enum(['info', 'warning', 'critical']).nullable(),
    rateLimit: z.object({ max: z.number().int(), per: z.string() }).nullable(),
    secret: z.string().optional().meta({ description: 'Of a webhook, in the one answer that made it' }),
    secretRotatesUntil: Instant.nullable().meta({ description: 'The secret before this one signs too until then' }),
    disabled: z.object({ reason: z.string(), at: Instant }).nullable().meta({ description: 'Any change of the channel enables it again' }),
    createdAt: Instant,
    createdBy: z.string().nullable(),
    updatedAt: Instant,
  })
  .meta({ id: 'Channel' });
export const ChannelList = listOf(ChannelAnswer).meta({ id: 'ChannelList' });

const ATTEMPT_OUTCOMES = ['delivered', 'failed', 'refused', 'no_answer', 'interrupted'] as const;
/** What became of one attempt. `failed`: an answer that was no 2xx, or what the mail server said. */
export const DeliveryAttempt = z
  .object({
    number: z.number().int(),
    at: Instant,
    durationMs: z.number().int().nullable(),
    outcome: z.enum(ATTEMPT_OUTCOMES),
    status: z.number().int().nullable().meta({ description: 'Of the answer, HTTP or SMTP' }),
    detail: z.string().nullable(),
  })
  .meta({ id: 'DeliveryAttempt' });

export const DELIVERY_STATUSES = [
  'pending',
  'sending',
  'delivered',
  'dead',
  'suppressed',
  'not_configured',
  'channel_disabled',
  'channel_removed',
] as const;
/** One alert on its way to one channel. */
export const Delivery = z
  .object({
    id: z.string(),
    alertId: z.string(),
    channelId: z.string().nullable(),
    channelName: z.string(),
    channelType: z.string(),
    kind: z.enum(['alert', 'summary']),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.array(DeliveryAttempt),
    nextAttemptAt: Instant.nullable(),
    preview: z.object({ subject: z.string(), text: z.string() }).nullable().meta({ description: 'What would have been sent' }),
    createdAt: Instant,
    deliveredAt: Instant.nullable(),
  })
  .meta({ id: 'Delivery' });

/** A row of deliveries, as far as an answer shows it. */
type DeliveryRow = Readonly<{
  delivery_id: string;
  alert_id: string;
  channel_id: string;
  channel_name: string;
  channel_type: string;
  kind: 'alert' | 'summary';
  status: z.infer<typeof Delivery>['status'];
  attempts: readonly z.infer<typeof DeliveryAttempt>[];
  due_at: string | null;
  preview: Readonly<{ subject: string; text: string }> | null;
  created_at: string;
  delivered_at: string | null;
}>;

/** A delivery as the api and alerting answer it. Channels that stand for none (`unconfigured:email`) have no id to show. */
export const showDelivery = (row: DeliveryRow): z.infer<typeof Delivery> => ({
  id: row.delivery_id,
  alertId: row.alert_id,
  channelId: row.channel_id.includes(':') ? null : row.channel_id,
  channelName: row.channel_name,
  channelType: row.channel_type,
  kind: row.kind,
  status: row.status,
  attempts: [...row.attempts],
  nextAttemptAt: row.status === 'pending' ? row.due_at : null,
  preview: row.preview,
  createdAt: row.created_at,
  deliveredAt: row.delivered_at,
});
export const DeliveryList = listOf(Delivery).meta({ id: 'DeliveryList' });

export const ChannelTestAnswer = z
  .object({
    outcome: z.enum([...ATTEMPT_OUTCOMES, 'not_configured']),
    status: z.number().int().nullable(),
    durationMs: z.number().int(),
    detail: z.string().nullable(),
  })
  .meta({ id: 'ChannelTest' });
