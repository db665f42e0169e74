import { ALERTS_STREAM, EVENTS_STREAM, LEDGER_STREAM, USAGE_INTAKE_STREAM, USAGE_REJECTED_STREAM } from '@bursar/contracts/bus';
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';

/** What an installation may choose. Ages in hours, sizes in bytes. */
export type StreamLimits = Readonly<{
  replicas: number;
  ledgerBytes: number;
  eventsHours: number;
  eventsBytes: number;
  alertsHours: number;
  alertsBytes: number;
  intakeBytes: number;
  rejectedHours: number;
  rejectedBytes: number;
}>;

const MIB = 1024 * 1024;

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  replicas: 1,
  ledgerBytes: 1024 * MIB,
  eventsHours: 24 * 7,
  eventsBytes: 1024 * MIB,
  alertsHours: 24 * 30,
  alertsBytes: 128 * MIB,
  intakeBytes: 512 * MIB,
  rejectedHours: 24 * 30,
  rejectedBytes: 128 * MIB,
};

/** The settings of a stream that are ours; whatever else a server reports is left to it. */
export type WantedStream = Pick<StreamConfig, 'name' | 'subjects' | 'retention' | 'storage' | 'discard' | 'max_age' | 'max_bytes'> &
  Pick<StreamConfig, 'max_msgs' | 'max_msgs_per_subject' | 'max_msg_size'> &
  Pick<StreamConfig, 'num_replicas' | 'allow_direct' | 'duplicate_window'> & { readonly disposable: boolean };

const LEDGER_HOURS = 24;
/** A publisher tries again within seconds; JetStream keeps every message id for so long. */
const DUPLICATE_WINDOW_NS = 120_000_000_000;
const NS_PER_HOUR = 3_600_000_000_000;
/** As JetStream says it. What bounds a stream is its bytes and its age. */
const UNLIMITED = -1;

/**
 * All are bounded in bytes. The ledger and the fan-out drop their oldest: the store has everything. The intake refuses new messages
 * instead, so a producer learns of it, and forgets each one once it is acknowledged. `disposable`: may be deleted and made anew,
 * because it comes back from the store: the relay fans out again what EVENTS has lost.
 */
export const wantedStreams = (limits: StreamLimits): readonly WantedStream[] => {
  const stream = (name: string, subjects: string[], hours: number, bytes: number, more: Partial<WantedStream> = {}): WantedStream => ({
    name,
    subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: hours * NS_PER_HOUR,
    max_bytes: bytes,
    max_msgs: UNLIMITED,
    max_msgs_per_subject: UNLIMITED,
    max_msg_size: UNLIMITED,
    num_replicas: limits.replicas,
    allow_direct: true,
    duplicate_window: DUPLICATE_WINDOW_NS,
    disposable: false,
    ...more,
  });
  return [
    stream(LEDGER_STREAM, ['ledger.*'], LEDGER_HOURS, limits.ledgerBytes, { disposable: true }),
    stream(EVENTS_STREAM, ['events.>'], limits.eventsHours, limits.eventsBytes, { disposable: true }),
    stream(ALERTS_STREAM, ['alerts.>'], limits.alertsHours, limits.alertsBytes),
    stream(USAGE_INTAKE_STREAM, ['usage.ingest.*'], 0, limits.intakeBytes, {
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
    }),
    stream(USAGE_REJECTED_STREAM, ['usage.rejected.*'], limits.rejectedHours, limits.rejectedBytes),
  ];
};

/** Names of the settings in which a stream differs from what it must be, foreign settings that change its meaning included. */
export const driftOf = (wanted: WantedStream, actual: Partial<StreamConfig>): readonly string[] => {
  const { disposable, ...settings } = wanted;
  const drift = Object.entries(settings).filter(
    ([key, value]) => JSON.stringify(actual[key as keyof StreamConfig]) !== JSON.stringify(value),
  );
  const foreign = FOREIGN.filter((key) => isSet(actual[key]));
  return [...drift.map(([key]) => key), ...foreign];
};

/** Any of these makes the stream hold something else than what is published on its subjects. */
export const FOREIGN = ['subject_transform', 'republish', 'sources', 'mirror', 'sealed', 'no_ack'] as const;

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
