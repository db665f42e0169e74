import type { MessageHandler } from '@nestjs/microservices';
import type { Bus } from '../../bus.js';
import { BatchServer } from '../batch-server.js';
import { DurableConsumer, NotConnectedError, type OpenSource } from './durable-consumer.js';
import { DURABLE_TRANSPORT, type DurableHandling, type DurableOptions } from './durable-messages.js';
import { ensureConsumer } from './ensure-consumer.js';
import { PullSource } from './pull-source.js';

/** Hands what durable JetStream consumers deliver to handlers of `DurableMessages`. */
export class DurableServer extends BatchServer {
  override readonly transportId = DURABLE_TRANSPORT;
  readonly #open: OpenSource;

  /** `open`: another source than JetStream, for tests. */
  constructor(bus: Bus, open?: OpenSource) {
    super(bus);
    this.#open = open ?? pullFrom(bus);
  }

  protected override consume(_name: string, handler: MessageHandler): Promise<void> {
    const consumer = new DurableConsumer({
      handling: handler.extras as DurableOptions<unknown> & DurableHandling,
      open: this.#open,
      handle: (payloads, context) => this.handle(handler, payloads, context),
      counters: this.bus.counters,
      logger: this.bus.logger,
    });
    return consumer.run(this.closing.signal);
  }
}

/** Two batches: one that is worked on, one that gathers meanwhile. */
const AHEAD = 2;

const pullFrom =
  (bus: Bus): OpenSource =>
  async (options, news) => {
    const nc = bus.connection;
    if (nc === null) throw new NotConnectedError();
    await ensureConsumer(nc, options);
    const { stream, durable, maxMessages, maxBytes } = options;
    return new PullSource({
      nc,
      news,
      onDisconnect: (listener) => bus.onDisconnect(listener),
      stream,
      durable,
      maxMessages: maxMessages * AHEAD,
      maxBytes: maxBytes * AHEAD,
    });
  };
