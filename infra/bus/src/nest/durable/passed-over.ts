import { type ConsumerInfo, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { API_TIMEOUT_MS } from './ensure-consumer.js';

/** How far a consumer was done with the stream at the last look. */
type Done = Readonly<{ created: string; upTo: number }>;

/**
 * Finds out whether a work queue still holds what its consumer is done with. A server lets a consumer pass messages that its filter
 * leaves out, and does not go back when the filter is set right: whoever narrowed it for a moment has left messages there that nobody
 * is ever given, that no backlog counts, and that their producer was told are stored.
 */
export class PassedOver {
  #done: Done | null = null;

  /**
   * Whether messages were passed over, of which the consumer was done at the look before: its acknowledgements remove them within
   * that time. False for a stream that is no work queue, or that not this consumer alone empties.
   */
  async look(nc: NatsConnection, { name, stream_name: stream, created, ack_floor, config }: ConsumerInfo): Promise<boolean> {
    const before = this.#done;
    this.#done = { created, upTo: ack_floor.stream_seq };
    if (before === null || before.created !== created || before.upTo === 0) return false;
    const { streams, consumers } = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
    const { state, config: queue } = await streams.info(stream);
    const ours = queue.retention === RetentionPolicy.Workqueue && queue.subjects?.every((subject) => subject === config.filter_subject);
    if (ours !== true || state.messages === 0 || state.first_seq > before.upTo) return false;
    // Whoever follows it makes it anew, which delivers all that the stream still has: what is being worked on comes twice.
    await consumers.delete(stream, name);
    this.#done = null;
    return true;
  }
}
