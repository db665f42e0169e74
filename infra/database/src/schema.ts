import type { AlertRaisedData, BudgetDefinition, CrossingData, EventMeta, EventOf, StoredChannel, TenantSettings } from '@bursar/contracts';
import type { BudgetControls, Terms } from '@bursar/contracts/folds';
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely';

/** int8 holding a position, revision or count: a JS number (the pool parses it so), safe up to 2^53. */
type Count = number;
/** NUMERIC(38,12): exact decimal text, never a float. */
type Amount = string;
/** timestamptz: canonical UTC text of `formatInstant`, microseconds at most. */
type Instant = string;
/** jsonb: written as text, read as parsed. */
type Json<T extends object> = JSONColumnType<T, string, string>;

export interface CheckpointTable {
  projection: string;
  partition: number;
  position: Count;
  epoch: Count;
}

export interface ReplicaTable {
  replica: string;
  consumer: Generated<string>;
  expires_at: Instant;
  url: string | null;
}

export interface LeaseTable {
  consumer: Generated<string>;
  partition: number;
  owner: string | null;
  epoch: Count;
  expires_at: Instant;
}

export interface RelayStreamTable {
  singleton: Generated<boolean>;
  stream_created: string;
  sequence: Count;
  rewinds: Count;
}

export interface RelayMarkTable {
  partition: number;
  span: Count;
  stream_created: string;
  sequence: Count;
  position: Count;
}

export interface DefinitionEventTable {
  projection: string;
  tenant: string;
  position: Count;
  partition: number;
  stream: string;
  revision: Count;
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
  recorded_at: Instant;
}

export interface WaitingTable {
  projection: string;
  tenant: string;
  position: Count;
  reason: 'price' | 'rate';
  budget_ids: string[];
  event: string;
}

export interface UsageCorrectionTable {
  tenant: string;
  position: Count;
  corrected_at: Count;
  amount: string | null;
  currency: string | null;
  stated: boolean;
}

export interface PriceCorrectionTable {
  tenant: string;
  correction_id: string;
  list_id: string;
  position: Count;
}

/** What a scope ever spent, descendants included, by currency: the sum of its rollups. */
export interface ScopeSpendTable {
  tenant: string;
  scope: string;
  currency: string;
  spend: string;
  events: number;
  unpriced: number;
}

export interface ScopeTable {
  tenant: string;
  scope: string;
  parents: string[];
  name: string | null;
  attributes: Json<Record<string, string>>;
  position: Count;
}

/** A registered scope under one of its parents; under the root when it has none. */
export interface ScopeEdgeTable {
  tenant: string;
  parent: string;
  scope: string;
}

/** A scope that was ever spoken of: registered, or named by usage, a budget or an edge. */
export interface ScopeMentionTable {
  tenant: string;
  scope: string;
  registered: boolean;
}

export interface BudgetTable {
  tenant: string;
  budget_id: string;
  scope: string;
  name: string;
  period_kind: string;
  definition: Json<BudgetDefinition>;
  revision: Count;
  created_position: Count;
  created_at: Instant;
  created_by: string | null;
  updated_at: Instant;
  deleted: boolean;
  counted_position: Count | null;
  controls: JSONColumnType<BudgetControls, string | undefined, string>;
  terms: ColumnType<readonly Terms[], string | undefined, string>;
}

export interface BalanceTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  period_end: Instant | null;
  spend: Amount;
  events: Count;
  failed_spend: Amount;
  failed_events: Count;
  waiting: Count;
  last_usage_at: Instant | null;
  position: Count;
  updated_at: Instant;
}

export interface LateTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
  position: Count;
}

/** Also the breaker of `autoPause`, which no threshold is called. */
export interface ThresholdTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  threshold: string;
  crossed: boolean;
  episode: number;
}

export interface CrossingTable {
  tenant: string;
  alert_id: string;
  budget_id: string;
  period_start: Instant;
  threshold: string;
  episode: number;
  data: Json<CrossingData>;
  /** Of the `ThresholdCrossed` itself; null until it is folded. */
  position: Count | null;
  /** What orders crossings: the event whose fold decided them, and the place among those it caused. */
  cause_position: Count;
  cause_index: number;
  crossed_at: Instant;
  cleared_at: Instant | null;
}

export interface OutboxTable {
  partition: number;
  sequence: ColumnType<Count, never, never>;
  stream: string;
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
}

export interface QuarantineTable {
  projection: string;
  partition: number;
  position: Count;
  tenant: string | null;
  reason: string;
  budget_ids: string[] | null;
}

export interface RollupTable {
  tenant: string;
  scope: string;
  bucket: Instant;
  key: string;
  currency: string;
  spend: Amount;
  events: Count;
  unpriced: Count;
  input_tokens: Amount;
  output_tokens: Amount;
}

export interface HoldTable {
  tenant: string;
  reservation_id: string;
  status: 'held' | 'settled' | 'released' | 'expired' | 'unknown';
  since: Count;
  ended_at: Instant | null;
  ended_position: Count | null;
  settled_by: string | null;
  actual: Amount | null;
  flags: string[];
  position: Count;
}

export interface HoldGroupTable {
  tenant: string;
  since: Count;
  partition: number;
  granted: string;
  budget_ids: string[];
  held: number;
  position: Count;
}

export interface ReservedTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  reserved: Amount;
}

export interface SettlementTable {
  tenant: string;
  position: Count;
  reservation_id: string;
  flags: string[];
}

export interface IdempotencyTable {
  tenant: string;
  key: string;
  fingerprint: Buffer;
  status: number | null;
  headers: ColumnType<Record<string, string> | null, string | null, string | null>;
  body: string | null;
  created_at: Generated<Instant>;
  leased_until: Generated<Instant>;
}

export interface AlertingBeginningTable {
  partition: number;
  position: Count;
}

export interface AlertTable {
  tenant: string;
  alert_id: string;
  partition: number;
  position: Count;
  revision: Count;
  cause_position: Count;
  event: string;
  type: string;
  severity: AlertRaisedData['severity'];
  source: string;
  budget_id: string | null;
  period_start: Instant | null;
  data: Json<AlertRaisedData>;
  meta: Json<EventMeta>;
  created_at: Instant;
  raised_at: Instant;
  suppressed: Generated<boolean>;
  published_sequence: Count | null;
}

export interface AcknowledgementTable {
  tenant: string;
  alert_id: string;
  by_actor: string | null;
  at: Instant;
  position: Count;
}

export interface PublishedStreamTable {
  only_row: Generated<boolean>;
  stream_created: string;
}

export interface LookedThroughTable {
  partition: number;
  position: Count;
}

export interface TimeZoneDataTable {
  since: Instant;
  version: string;
}

export interface TimerTable {
  tenant: string;
  budget_id: string;
  partition: number;
  rule: Json<object>;
  open_start: string | null;
  expired: string | null;
  due_at: Instant | null;
  failures: Generated<number>;
  stuck: string | null;
  stuck_since: Instant | null;
}

export interface EndedPeriodTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
  position: Count;
  ended: Json<EventOf<'PeriodEnded'>['data']>;
  recorded_at: Instant;
  restatements: JSONColumnType<readonly StoredRestatement[], string | undefined, string>;
}

/** What a `PeriodRestated` said, and when. */
export type StoredRestatement = EventOf<'PeriodRestated'>['data'] & Readonly<{ recordedAt: string }>;

export interface RecheckTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
}

export interface ChannelTable {
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

export interface PreferenceTable {
  tenant: string;
  preferences: Json<AlertPreferences>;
}

export interface NoticeTable {
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

export interface TargetTable {
  tenant: string;
  channel_id: string;
  failures: Generated<number>;
  open_until: Instant | null;
  next_at: Instant | null;
}

/** Every table the migrations make, by its full name. Kept in step with `migrations/`. */
export interface Database {
  'projection.checkpoint': CheckpointTable;
  'projection.definition_event': DefinitionEventTable;
  'projection.waiting': WaitingTable;
  'projection.usage_correction': UsageCorrectionTable;
  'projection.price_correction': PriceCorrectionTable;
  'projection.scope': ScopeTable;
  'projection.scope_edge': ScopeEdgeTable;
  'projection.scope_mention': ScopeMentionTable;
  'projection.scope_spend': ScopeSpendTable;
  'projection.replica': ReplicaTable;
  'projection.lease': LeaseTable;
  'projection.relay_stream': RelayStreamTable;
  'projection.relay_mark': RelayMarkTable;
  'projection.budget': BudgetTable;
  'projection.balance': BalanceTable;
  'projection.late': LateTable;
  'projection.threshold': ThresholdTable;
  'projection.crossing': CrossingTable;
  'projection.outbox': OutboxTable;
  'projection.quarantine': QuarantineTable;
  'projection.rollup': RollupTable;
  'alerting.beginning': AlertingBeginningTable;
  'alerting.alert': AlertTable;
  'alerting.acknowledgement': AcknowledgementTable;
  'alerting.published_stream': PublishedStreamTable;
  'projection.hold': HoldTable;
  'projection.hold_group': HoldGroupTable;
  'projection.reserved': ReservedTable;
  'projection.settlement': SettlementTable;
  'alerting.channel': ChannelTable;
  'alerting.preference': PreferenceTable;
  'alerting.notice': NoticeTable;
  'alerting.delivery': DeliveryTable;
  'alerting.target': TargetTable;
  'api.idempotency': IdempotencyTable;
  'scheduler.looked_through': LookedThroughTable;
  'scheduler.time_zone_data': TimeZoneDataTable;
  'scheduler.timer': TimerTable;
  'scheduler.period': EndedPeriodTable;
  'scheduler.recheck': RecheckTable;
}
