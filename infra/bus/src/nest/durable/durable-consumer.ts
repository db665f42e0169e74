import type { Counters } from '../../counters.js';
import { Wake } from '../../ledger/wake.js';
import type { Logger } from '../../logger.js';
import type { Delivery } from './delivery.js';
import { DurableContext, type DurableHandling, type DurableOptions } from './durable-messages.js';
import { isMissing } from './ensure-consumer.js';
import { nextBatch } from './next-batch.js';
import type { Source } from './source.js';

/** Opens the consumer where there is a connection. Rejects where there is none, or no consumer can be had; `news`: something arrived, or it ended. */
export type OpenSource = (options: DurableOptions<unknown> & DurableHandling, news: () => void) => Promise<Source>;

export type DurableConsumerOptions = Readonly<{
  handling: DurableOptions<unknown> & DurableHandling;
  open: OpenSource;
  /** Runs the handler. */
  handle: (payloads: readonly unknown[], context: DurableContext) => Promise<void>;
  counters: Counters;
  logger: Logger;
}>;

/** The bus tells of lost connections, once for all. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
}

const REOPEN_MS = 250;

/** Follows one durable consumer for ever: through lost connections, deleted consumers and streams, and failing handlers. */
export class DurableConsumer {
  readonly #news = new Wake();
  #told = '';

  constructor(private readonly options: DurableConsumerOptions) {}

  /** Resolves once the signal has aborted and the batch in hand is settled. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { open, handling } = this.options;
    while (!signal.aborted) {
      try {
        const source = await open(handling, () => this.#news.fire());
        this.#told = '';
        await this.#follow(source, signal).finally(() => source.close());
        if (!signal.aborted) this.options.counters.durableReopened += 1;
        this.#tell(source.ended, signal);
      } catch (error) {
        this.#tell(error, signal);
      }
      await new Wake().wait(REOPEN_MS, signal);
    }
  }

  async #follow(source: Source, signal: AbortSignal): Promise<void> {
    const { maxMessages: messages, maxBytes: bytes, lingerMs } = this.options.handling;
    for (;;) {
      const batch = await nextBatch(source, { messages, bytes, lingerMs }, this.#news, signal);
      if (batch === null) return;
      await this.#settle(batch, source);
    }
  }

  async #settle(batch: readonly Delivery[], source: Source): Promise<void> {
    const { handling, handle, counters, logger } = this.options;
    const { payloads, readable } = this.#read(batch);
    if (readable.length === 0) return;
    const alive = setInterval(() => {
      for (const delivery of readable) delivery.working();
      source.keepAlive();
    }, handling.ackWaitMs / 3).unref();
    counters.durableBatches += 1;
    counters.durableMessages += readable.length;
    try {
      await handle(payloads, new DurableContext(readable));
      for (const delivery of readable) delivery.ack();
    } catch (error) {
      counters.durableFailures += 1;
      logger.warn({ error, durable: handling.durable }, 'a batch from JetStream could not be handled; it comes again');
      for (const delivery of readable) delivery.nak(handling.retryMs);
    } finally {
      clearInterval(alive);
    }
  }

  #read(batch: readonly Delivery[]): Readonly<{ payloads: readonly unknown[]; readable: Delivery[] }> {
    const payloads: unknown[] = [];
    const readable: Delivery[] = [];
    for (const delivery of batch) {
      try {
        payloads.push(this.options.handling.read(delivery));
        readable.push(delivery);
      } catch (error) {
        this.options.counters.durableUnreadable += 1;
        this.options.logger.warn({ error, subject: delivery.subject }, 'a message cannot be read and is terminated');
        delivery.term(String(error));
      }
    }
    return { payloads, readable };
  }

  /** Once for each reason in a row. A missing stream is told of by whoever guards the streams. */
  #tell(error: unknown, signal: AbortSignal): void {
    const reason = String(error);
    if (signal.aborted || error instanceof NotConnectedError || isMissing(error) || reason === this.#told) return;
    this.#told = reason;
    this.options.logger.warn({ error, durable: this.options.handling.durable }, 'a durable consumer was interrupted; it is opened again');
  }
}
