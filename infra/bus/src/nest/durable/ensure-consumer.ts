import {
  AckPolicy,
  type ConsumerInfo,
  type ConsumerUpdateConfig,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { DurableHandling, DurableOptions } from './durable-messages.js';

const NS_PER_MS = 1_000_000;
/** How long JetStream may take to answer what is asked about a consumer. */
export const API_TIMEOUT_MS = 3_000;

/**
 * Makes the consumer where it is missing, sets right what was changed about it, resumes it when it was paused, and answers its state. Each message is acknowledged for
 * itself: with `AckPolicy.All` one replica's acknowledgement would cover what another is still working on, and a work queue takes no
 * other policy. Rejects when the stream is missing: the bus, which guards the streams, makes it and says so.
 */
export const ensureConsumer = async (nc: NatsConnection, options: DurableOptions<unknown> & DurableHandling): Promise<ConsumerInfo> => {
  const { consumers } = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
  const { stream, durable, subject } = options;
  const wanted = {
    ack_wait: options.ackWaitMs * NS_PER_MS,
    max_ack_pending: options.maxUnacknowledged,
    max_deliver: -1,
    filter_subject: subject,
    // In place of the one; a server takes no consumer that has both.
    filter_subjects: undefined,
  };
  try {
    const info = await consumers.info(stream, durable);
    const right = Object.entries(wanted).every(([key, value]) => info.config[key as keyof typeof wanted] === value);
    const ensured = right ? info : await consumers.update(stream, durable, wanted as Partial<ConsumerUpdateConfig>);
    // Not before: with a wrong filter it would pass over what is ours. What waits is delivered at its next heartbeat, if nothing new comes.
    if (info.paused === true) await consumers.resume(stream, durable);
    return ensured;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.ConsumerNotFound) throw error;
    return consumers.add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, ...wanted });
  }
};

const MISSING: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];

/** The stream or the consumer is not there. */
export const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && MISSING.includes(error.code);
