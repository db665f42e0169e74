import {
  type ConsumerInfo,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { connectionOptions } from './options.js';
import { DEFAULT_STREAM_LIMITS, driftOf, type StreamLimits, type WantedStream, wantedStreams } from './streams.js';

export type ConsumerReport = Readonly<{ name: string; waiting: number; unacknowledged: number; redelivered: number; paused: boolean }>;

export type StreamReport = Readonly<{
  name: string;
  exists: boolean;
  /** Settings in which it is not as it must be. */
  drift: readonly string[];
  messages: number;
  bytes: number;
  maxBytes: number;
  consumers: readonly ConsumerReport[];
}>;

export type NatsReport = Readonly<{ version: string; streams: readonly StreamReport[] }>;

const TIMEOUT_MS = 3_000;

/** What an operator wants to know of the NATS that a `NATS_URL` names. Changes nothing. Rejects when it does not answer in time. */
export const inspectNats = async (url: string, limits: StreamLimits = DEFAULT_STREAM_LIMITS): Promise<NatsReport> => {
  const nc = await connect({ ...connectionOptions(url, 'inspection'), reconnect: false, timeout: TIMEOUT_MS });
  try {
    const manager = await jetstreamManager(nc, { timeout: TIMEOUT_MS, checkAPI: false });
    const streams: StreamReport[] = [];
    for (const wanted of wantedStreams(limits)) streams.push(await inspectStream(manager, wanted));
    return { version: nc.info?.version ?? '0.0.0', streams };
  } finally {
    await nc.close();
  }
};

const inspectStream = async (manager: JetStreamManager, wanted: WantedStream): Promise<StreamReport> => {
  const info = await infoOf(manager, wanted.name);
  const report = { name: wanted.name, maxBytes: wanted.max_bytes };
  if (info === null) return { ...report, exists: false, drift: [], messages: 0, bytes: 0, consumers: [] };
  const consumers: ConsumerReport[] = [];
  for await (const consumer of manager.consumers.list(wanted.name)) consumers.push(consumerReport(consumer));
  const { messages, bytes } = info.state;
  return { ...report, exists: true, drift: driftOf(wanted, info.config), messages, bytes, consumers };
};

const consumerReport = ({ name, num_pending, num_ack_pending, num_redelivered, paused }: ConsumerInfo): ConsumerReport => ({
  name,
  waiting: num_pending,
  unacknowledged: num_ack_pending,
  redelivered: num_redelivered,
  paused: paused === true,
});

const infoOf = async (manager: JetStreamManager, name: string): Promise<StreamInfo | null> => {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return null;
    throw error;
  }
};
