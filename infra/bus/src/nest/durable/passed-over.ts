import { type ConsumerInfo, type JetStreamManager, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { API_TIMEOUT_MS } from './ensure-consumer.js';

/** A message that is left of what its consumer is done with, by its sequence number in the stream. */
type Left = Readonly<{ consumerMadeAt: string; sequence: number }>;

/**
 * Finds out whether a work queue still holds what its consumer is done with. A server lets a consumer pass messages that its filter
 * leaves out, and does not go back when the filter is set right: whoever narrowed it for a moment has left messages there that nobody
 * is ever given, that no backlog counts, and that their producer was told are stored.
 */
export class PassedOver {
  #left: Left | null = null;

  /**
   * Whether something was passed over, which this look and the one before found: what was acknowledged just now may be there for a
   * moment. The consumer is deleted then. Whoever follows it makes it anew, which delivers all that the stream still has; what is being
   * worked on comes twice. False for a stream that is no work queue.
   */
  async look(nc: NatsConnection, info: ConsumerInfo): Promise<boolean> {
    const before = this.#left;
    this.#left = null;
    const manager = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
    const sequence = await leftBehind(manager, info);
    if (sequence === null) return false;
    const { stream_name: stream, name, created } = info;
    this.#left = { consumerMadeAt: created, sequence };
    if (before?.sequence !== sequence || before.consumerMadeAt !== created) return false;
    // Another replica may have been faster.
    if ((await manager.consumers.info(stream, name)).created !== created) return false;
    await manager.consumers.delete(stream, name);
    return true;
  }
}

/** The first message that is the consumer's, and is neither to be delivered to anybody nor to be acknowledged by anybody. */
const leftBehind = async ({ streams }: JetStreamManager, info: ConsumerInfo): Promise<number | null> => {
  const { stream_name: stream, config, ack_floor, num_pending, num_ack_pending } = info;
  // The floor goes up by acknowledgements alone: where nothing came since, it says nothing of what was passed over.
  const doneUpTo = num_pending + num_ack_pending === 0 ? Number.POSITIVE_INFINITY : ack_floor.stream_seq;
  const { state, config: queue } = await streams.info(stream);
  if (queue.retention !== RetentionPolicy.Workqueue || state.messages === 0 || state.first_seq > doneUpTo) return null;
  // The API's request for the next message on a subject, which the client's types have for direct reads only.
  const next = { seq: state.first_seq, next_by_subj: config.filter_subject ?? '>' };
  const message = await streams.getMessage(stream, next);
  return message !== null && message.seq <= doneUpTo ? message.seq : null;
};
