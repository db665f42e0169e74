import type { StoredChannel, TenantSettings } from '@bursar/contracts';
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely';
import type { Count, Instant, Json } from './column-types.js';

/** Where alerts go, and what became of each delivery. */
export interface DeliveryTables {
  'alerting.channel': ChannelTable;
  'alerting.preference': PreferenceTable;
  'alerting.notice': NoticeTable;
  'alerting.delivery': DeliveryTable;
  'alerting.target': TargetTable;
}

interface ChannelTable {
  tenant: string;
  channel_id: string;
  channel: Json<StoredChannel>;
  position: Count;
}

/** What a tenant's settings and templates say about alerts. */
export type AlertPreferences = Readonly<{
  defaultChannels: readonly string[];
  alertWindow: string;
  adminContact: string | null;
  profile: TenantSettings['profile'];
  /** By event. */
  templates: Readonly<Record<string, MessageTemplateData>>;
}>;
type MessageTemplateData = Readonly<{ subject?: string; text: string; html?: string }>;

interface PreferenceTable {
  tenant: string;
  preferences: Json<AlertPreferences>;
}

interface NoticeTable {
  tenant: string;
  channel_id: string;
  notice: string;
  sent: Json<readonly number[]>;
  summary_id: string | null;
  summary_at: Instant | null;
}

/** One attempt of a delivery, as the contract answers it. */
export type StoredAttempt = Readonly<{
  number: number;
  at: string;
  durationMs: number | null;
  outcome: 'delivered' | 'failed' | 'refused' | 'no_answer' | 'interrupted';
  status: number | null;
  detail: string | null;
}>;
export type DeliveryStatus =
  | 'pending'
  | 'sending'
  | 'delivered'
  | 'dead'
  | 'suppressed'
  | 'not_configured'
  | 'channel_disabled'
  | 'channel_removed';

export interface DeliveryTable {
  delivery_id: string;
  tenant: string;
  alert_id: string;
  position: Count;
  channel_id: string;
  channel_type: StoredChannel['type'] | 'unknown';
  channel_name: string;
  kind: 'alert' | 'summary';
  status: DeliveryStatus;
  attempt_count: Generated<number>;
  tries: Generated<number>;
  attempts: JSONColumnType<readonly StoredAttempt[], string | undefined, string>;
  due_at: Instant | null;
  lease: string | null;
  begun_at: Instant | null;
  summary_id: string | null;
  preview: ColumnType<Preview | null, string | null | undefined, string | null>;
  created_at: Instant;
  delivered_at: Instant | null;
}
export type StoredDelivery = Selectable<DeliveryTable>;
type Preview = Readonly<{ subject: string; text: string }>;

interface TargetTable {
  tenant: string;
  channel_id: string;
  failures: Generated<number>;
  open_until: Instant | null;
  next_at: Instant | null;
}
