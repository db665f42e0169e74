import { BaseRpcContext } from '@nestjs/microservices';
import { batchPattern, type HandlerDecorator } from '../handler-decorator.js';
import type { Delivery, DurableMessage } from './delivery.js';

/** Handlers of {@link DurableMessages} belong to this transport. */
export const DURABLE_TRANSPORT = Symbol('bursar.durable');

/** A durable pull consumer that replicas share, and how its messages are handed over. */
export type DurableOptions<T> = Readonly<{
  stream: string;
  durable: string;
  /** The subjects of the stream that it takes. */
  subject: string;
  /** What the handler gets for a message. A message for which it throws is terminated, with the error as reason, and goes to no handler. */
  read: (message: DurableMessage) => T;
}> &
  Partial<DurableHandling>;

export type DurableHandling = Readonly<{
  /** Most messages in one batch, and about how many bytes. */
  maxMessages: number;
  maxBytes: number;
  /** How long the first message of a batch waits for others. 0: not at all, what came together goes together. */
  lingerMs: number;
  /** What a throwing handler left unsettled comes again after so long. */
  retryMs: number;
  /** A message that is not acknowledged for so long goes to another replica. While a handler works, or a message waits here, it is renewed. */
  ackWaitMs: number;
  /** Most messages that all replicas together hold unacknowledged. */
  maxUnacknowledged: number;
}>;

export const DURABLE_DEFAULTS: DurableHandling = {
  maxMessages: 200,
  maxBytes: 8 * 1024 * 1024,
  lingerMs: 0,
  retryMs: 1_000,
  ackWaitMs: 30_000,
  maxUnacknowledged: 2_000,
};

/** Settles single messages of a batch by their index. What the handler leaves is acknowledged when it resolves, retried when it rejects. */
export class DurableContext extends BaseRpcContext<Delivery[]> {
  get messages(): readonly DurableMessage[] {
    return this.getArgs();
  }

  ack(index: number): void {
    this.#at(index).ack();
  }

  nak(index: number, delayMs?: number): void {
    this.#at(index).nak(delayMs);
  }

  term(index: number, reason: string): void {
    this.#at(index).term(reason);
  }

  #at(index: number): Delivery {
    const delivery = this.getArgs()[index];
    if (delivery === undefined) throw new RangeError(`the batch has no message ${index}`);
    return delivery;
  }
}

/**
 * The handler, which takes no parameter decorators, gets batches of what a durable consumer delivers, one batch at a time in a process, at least once each. The consumer is
 * made where it is missing. `read` decides the type of the payloads; those of a batch have the indices of the context's messages.
 */
export const DurableMessages = <T>(options: DurableOptions<T>): HandlerDecorator<readonly T[], DurableContext> =>
  batchPattern(`${options.stream}/${options.durable}`, DURABLE_TRANSPORT, { ...DURABLE_DEFAULTS, ...options });
