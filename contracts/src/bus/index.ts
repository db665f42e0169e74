import { rootScope, scopeId, scopeType } from '../values/scope.js';

export { AppendNotice } from './append-notice.js';

/** Subjects, streams and headers on NATS. */
export const LEDGER_STREAM = 'LEDGER';
export const EVENTS_STREAM = 'EVENTS';
export const ALERTS_STREAM = 'ALERTS';
export const USAGE_INTAKE_STREAM = 'USAGE_INTAKE';
export const USAGE_REJECTED_STREAM = 'USAGE_REJECTED';

export const ledgerSubject = (partition: number): string => `ledger.${partition}`;
/** Of notices that something was appended; no stream keeps them. */
export const appendedSubject = (partition: number): string => `appended.${partition}`;
export const eventsSubject = (tenant: string, type: string): string => `events.${tenant}.${type}`;
export const usageIntakeSubject = (tenant: string): string => `usage.ingest.${tenant}`;
export const usageRecordSubject = (tenant: string): string => `usage.record.${tenant}`;
/** Request-reply with whoever owns the tenant's partition. */
export const budgetsSubject = (tenant: string, what: 'check' | 'reserve' | 'release'): string => `budgets.${tenant}.${what}`;
export const usageRejectedSubject = (tenant: string): string => `usage.rejected.${tenant}`;

/** What a subscriber chooses an alert by. `scope`: of its budget; null: the tenant's own. */
export type AlertAddress = Readonly<{ tenant: string; severity: string; scope: string | null; budgetId: string | null }>;

/** `alerts.<tenant>.<severity>.<scopeType>.<scopeToken>.<budgetId>`; an alert of no budget has `-` in its place. */
export const alertsSubject = ({ tenant, severity, scope, budgetId }: AlertAddress): string => {
  const owner = scope ?? rootScope(tenant);
  return `alerts.${tenant}.${severity}.${scopeType(owner)}.${subjectToken(scopeId(owner))}.${budgetId ?? '-'}`;
};

/** Printable ASCII but what separates and matches tokens, and `=`, which announces a coded one. */
const SAFE_TOKEN = /^(?!=)[!-)+-\-/-=?-~]+$/;

/** Any text as one token of a subject: itself where it may be one, else `=` and its base64url. */
export const subjectToken = (text: string): string =>
  SAFE_TOKEN.test(text) ? text : `=${Buffer.from(text, 'utf8').toString('base64url')}`;

export const HEADER = {
  firstPosition: 'Bursar-First-Position',
  lastPosition: 'Bursar-Last-Position',
  /** Hex of the hash chain's link at the last position. */
  link: 'Bursar-Link',
  reason: 'Bursar-Reason',
  /** `<partition>:<position>` that an answer has to have come to; `Prefer: wait=N` says for how long it may wait. */
  minPosition: 'Bursar-Min-Position',
  /** `user`: the answer is for somebody who merely spends. */
  audience: 'Bursar-Audience',
  messageId: 'Nats-Msg-Id',
} as const;

/** `Nats-Service-Error` of a reply that is a 202: what was asked for is not folded yet, and nothing was decided. */
export const NOT_YET = 'not_yet';

/** Oldest nats-server whose JetStream has all that we use (STACK §2: older ones ignore fields silently). */
export const MIN_NATS_SERVER = '2.12.0';
/** At most so many events, and bytes of body, in one range message. */
export const MAX_RANGE_EVENTS = 500;
export const MAX_RANGE_BYTES = 512 * 1024;

/** Events that `events.<tenant>.>` never carries: those of a partition, not of a tenant, and those with sealed secrets in them. */
export const KEPT_INSIDE: ReadonlySet<string> = new Set([
  'PartitionTaken',
  'HoldsChanged',
  'ChannelSaved',
  'ChannelRemoved',
  'TenantSettingsChanged',
]);
