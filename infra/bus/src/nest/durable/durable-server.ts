import type { MessageHandler } from '@nestjs/microservices';
import type { Bus } from '../../bus.js';
import { BatchServer } from '../batch-server.js';
import { DurableConsumer, NotConnectedError, type OpenSource } from './durable-consumer.js';
import { DURABLE_TRANSPORT, type DurableHandling, type DurableOptions } from './durable-messages.js';
import { ensureConsumer, isMissing } from './ensure-consumer.js';
import { PassedOver } from './passed-over.js';
import { PullSource } from './pull-source.js';

/** What a durable consumer has before it, all replicas together. */
export type Backlog = Readonly<{ durable: string; waiting: number; unacknowledged: number }>;

export type DurableServerOptions = Readonly<{
  /** Another source than JetStream, for tests. */
  open?: OpenSource;
  /** How often a consumer's settings are checked, and its backlog read. */
  checkMs?: number;
}>;

const CHECK_MS = 5_000;

type Handling = DurableOptions<unknown> & DurableHandling;

/** Hands what durable JetStream consumers deliver to handlers of `DurableMessages`. */
export class DurableServer extends BatchServer {
  override readonly transportId = DURABLE_TRANSPORT;
  readonly #open: OpenSource;
  readonly #checkMs: number;
  readonly #backlogs = new Map<string, Backlog>();

  constructor(bus: Bus, { open = pullFrom(bus), checkMs = CHECK_MS }: DurableServerOptions = {}) {
    super(bus);
    this.#open = open;
    this.#checkMs = checkMs;
  }

  /** As of the last check, for metrics; those never seen are missing. */
  get backlogs(): readonly Backlog[] {
    return [...this.#backlogs.values()];
  }

  protected override async consume(_name: string, handler: MessageHandler): Promise<void> {
    const handling = handler.extras as Handling;
    const consumer = new DurableConsumer({
      handling,
      open: this.#open,
      handle: (payloads, context) => this.handle(handler, payloads, context),
      counters: this.bus.counters,
      logger: this.bus.logger,
    });
    const passedOver = new PassedOver();
    let isChecking = false;
    const check = async (): Promise<void> => {
      if (isChecking) return;
      isChecking = true;
      await this.#check(handling, passedOver);
      isChecking = false;
    };
    const checks = setInterval(() => void check(), this.#checkMs).unref();
    await consumer.run(this.closing.signal);
    clearInterval(checks);
  }

  /** What somebody changed about the consumer while it is read is set right, and what it passed over meanwhile is fetched (RELIABILITY IN-E12). */
  async #check(handling: Handling, passedOver: PassedOver): Promise<void> {
    const nc = this.bus.connection;
    if (nc === null) return;
    try {
      const info = await ensureConsumer(nc, handling);
      const { num_pending: waiting, num_ack_pending: unacknowledged } = info;
      this.#backlogs.set(handling.durable, { durable: handling.durable, waiting, unacknowledged });
      if (!(await passedOver.look(nc, info))) return;
      this.bus.counters.durableRewinds += 1;
      this.bus.logger.warn(
        { durable: handling.durable },
        'a durable consumer had passed messages over; it is made anew, and delivers them',
      );
    } catch (error) {
      // Missing: whoever reads it finds out, and opens it anew.
      if (!isMissing(error)) this.bus.logger.warn({ error, durable: handling.durable }, 'a durable consumer could not be checked');
    }
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
