/** Subjects, streams and headers on NATS. */
export const LEDGER_STREAM = 'LEDGER';
export const EVENTS_STREAM = 'EVENTS';
export const ALERTS_STREAM = 'ALERTS';
export const USAGE_INTAKE_STREAM = 'USAGE_INTAKE';
export const USAGE_REJECTED_STREAM = 'USAGE_REJECTED';

export const ledgerSubject = (partition: number): string => `ledger.${partition}`;
export const eventsSubject = (tenant: string, type: string): string => `events.${tenant}.${type}`;
export const usageIntakeSubject = (tenant: string): string => `usage.ingest.${tenant}`;
export const usageRecordSubject = (tenant: string): string => `usage.record.${tenant}`;
/** Request-reply with whoever owns the tenant's partition. */
export const budgetsSubject = (tenant: string, what: 'check' | 'reserve' | 'release'): string => `budgets.${tenant}.${what}`;
export const usageRejectedSubject = (tenant: string): string => `usage.rejected.${tenant}`;

export const HEADER = {
  firstPosition: 'Bursar-First-Position',
  lastPosition: 'Bursar-Last-Position',
  /** Hex of the hash chain's link at the last position. */
  link: 'Bursar-Link',
  reason: 'Bursar-Reason',
  messageId: 'Nats-Msg-Id',
} as const;

/** Oldest nats-server whose JetStream has all that we use (STACK §2: older ones ignore fields silently). */
export const MIN_NATS_SERVER = '2.12.0';
/** At most so many events, and bytes of body, in one range message. */
export const MAX_RANGE_EVENTS = 500;
export const MAX_RANGE_BYTES = 512 * 1024;
