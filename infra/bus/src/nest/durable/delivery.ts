import type { Msg, MsgHdrs } from '@nats-io/transport-node';

/** Where a message is in its stream, and how often it was delivered. */
export type DeliveryInfo = Readonly<{
  stream: string;
  streamSequence: number;
  /** 1 at the first delivery. */
  deliveryCount: number;
  /** When JetStream stored it, nanoseconds since 1970, as text: a number would not hold it. */
  timestampNanos: string;
}>;

/** What a handler sees of a message; it settles it through its context. */
export type DurableMessage = Readonly<{ subject: string; headers: MsgHdrs | undefined; data: Uint8Array; info: DeliveryInfo }>;

/** False once the consumer that delivered is gone: an acknowledgement could then hit another message of the same number. */
export type Validity = { live: boolean };

/** A delivered message. Settled once: what comes after the first is ignored. */
export class Delivery implements DurableMessage {
  /** About as many as it takes in memory. */
  readonly bytes: number;
  #settled = false;

  constructor(
    private readonly message: Msg,
    private readonly validity: Validity,
  ) {
    this.bytes = message.data.length + message.subject.length + headerBytes(message.headers);
  }

  get subject(): string {
    return this.message.subject;
  }

  get headers(): MsgHdrs | undefined {
    return this.message.headers;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  get info(): DeliveryInfo {
    return readAckSubject(this.message.reply ?? '');
  }

  get settled(): boolean {
    return this.#settled;
  }

  ack(): void {
    this.#settle('+ACK');
  }

  /** Comes again after the delay, to whoever of the replicas asks first. */
  nak(delayMs = 0): void {
    this.#settle(delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1_000_000)}}` : '-NAK');
  }

  /** Never comes again. JetStream tells of it in an advisory with the reason. */
  term(reason: string): void {
    this.#settle(`+TERM ${reason.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
  }

  /** Starts the time to acknowledge anew. */
  working(): void {
    if (!this.#settled && this.validity.live) this.message.respond('+WPI');
  }

  #settle(verdict: string): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.validity.live) this.message.respond(verdict);
  }
}

const headerBytes = (headers: MsgHdrs | undefined): number => {
  let bytes = 0;
  for (const key of headers?.keys() ?? []) for (const value of headers?.values(key) ?? []) bytes += key.length + value.length;
  return bytes;
};

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<timestamp>.<pending>`, on some servers with domain
 * and account before the stream (ADR-15).
 */
const readAckSubject = (subject: string): DeliveryInfo => {
  const tokens = subject.split('.');
  const at = tokens.length > 9 ? 4 : 2;
  return {
    stream: tokens[at] ?? '',
    deliveryCount: Number(tokens[at + 2]),
    streamSequence: Number(tokens[at + 3]),
    timestampNanos: tokens[at + 5] ?? '',
  };
};
