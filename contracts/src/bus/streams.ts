import { ALERTS_STREAM, EVENTS_STREAM, LEDGER_STREAM, USAGE_INTAKE_STREAM, USAGE_REJECTED_STREAM } from './index.js';

const MIB = 1024 * 1024;

/** A JetStream stream as an installation has it unless it chose otherwise. infra/bus makes the streams and is tested against this. */
export type StreamFacts = Readonly<{
  stream: string;
  subjects: readonly string[];
  storage: 'file';
  /** `workqueue`: a message is gone once it is acknowledged. */
  retention: 'limits' | 'workqueue';
  /** When full: `old` drops the oldest, `new` refuses what comes. */
  discard: 'old' | 'new';
  /** null: no age limit. */
  maxAgeHours: number | null;
  maxBytes: number;
  /** A second message with the same `Nats-Msg-Id` within it is not stored. */
  duplicateWindowSeconds: number;
}>;

const stream = (name: string, subject: string, maxAgeHours: number | null, mebibytes: number, more: Partial<StreamFacts> = {}) => ({
  stream: name,
  subjects: [subject],
  storage: 'file' as const,
  retention: 'limits' as const,
  discard: 'old' as const,
  maxAgeHours,
  maxBytes: mebibytes * MIB,
  duplicateWindowSeconds: 120,
  ...more,
});

export const STREAMS = {
  ledger: stream(LEDGER_STREAM, 'ledger.*', 24, 1024),
  events: stream(EVENTS_STREAM, 'events.>', 24 * 7, 1024),
  alerts: stream(ALERTS_STREAM, 'alerts.>', 24 * 30, 128),
  usageIntake: stream(USAGE_INTAKE_STREAM, 'usage.ingest.*', null, 512, { retention: 'workqueue', discard: 'new' }),
  usageRejected: stream(USAGE_REJECTED_STREAM, 'usage.rejected.*', 24 * 30, 128),
} as const satisfies Record<string, StreamFacts>;
