import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from '../logger.js';
import type { Connection } from '../nats/connection.js';

/** By subject, what is done with a message. Must not throw. */
type Receivers = Readonly<Record<string, (message: Msg) => void>>;

/** The subscriptions of a process to what concerns its partitions, over all its connections. */
export class Subscriptions {
  readonly #receivers = new Map<number, Receivers>();
  readonly #open = new Map<string, Subscription>();
  #nc: NatsConnection | null = null;

  constructor(
    connection: Connection,
    private readonly logger: Logger,
  ) {
    connection.onConnection((nc) => {
      this.#nc = nc;
      this.#open.clear();
      for (const partition of this.#receivers.keys()) this.#subscribe(partition);
    });
  }

  /** These subjects, and no others, for a partition. */
  set(partition: number, receivers: Receivers): void {
    for (const subject of Object.keys(this.#receivers.get(partition) ?? {})) if (!(subject in receivers)) this.#unsubscribe(subject);
    if (Object.keys(receivers).length === 0) this.#receivers.delete(partition);
    else this.#receivers.set(partition, receivers);
    this.#subscribe(partition);
  }

  /** Should one be there in name alone. */
  renew(partition: number): void {
    for (const subject of Object.keys(this.#receivers.get(partition) ?? {})) this.#unsubscribe(subject);
    this.#subscribe(partition);
  }

  #subscribe(partition: number): void {
    for (const [subject, receive] of Object.entries(this.#receivers.get(partition) ?? {})) {
      if (this.#open.has(subject) || this.#nc === null || this.#nc.isClosed()) continue;
      const callback = (error: Error | null, message: Msg): void => {
        if (error === null) receive(message);
        else this.logger.warn({ error: String(error), subject }, 'the subscription to the ledger was refused; the store is polled');
      };
      this.#open.set(subject, this.#nc.subscribe(subject, { callback }));
    }
  }

  #unsubscribe(subject: string): void {
    this.#open.get(subject)?.unsubscribe();
    this.#open.delete(subject);
  }
}
