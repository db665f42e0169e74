import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { Delivery, type Validity } from './delivery.js';
import type { Source } from './source.js';

export type PullOptions = Readonly<{
  nc: NatsConnection;
  /** Tells of a lost connection; answers how to stop that. */
  onDisconnect: (listener: () => void) => () => void;
  /** Something arrived, or the source has ended. */
  news: () => void;
  stream: string;
  durable: string;
  /** Most messages, and bytes, that are held here or on their way. One message may be larger. */
  maxMessages: number;
  maxBytes: number;
}>;

/** One pull request: the server answers it with messages, and with a status when it ends early. */
type Request = { readonly subject: string; left: number; received: number };

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
/** Two heartbeats and some: the server, or the consumer, is gone without a word. */
const SILENCE_MS = 12_500;
const DRAIN_MS = 1_000;
const NS_PER_MS = 1_000_000;
const DISCONNECTED = 'disconnected';
const HEARTBEAT = 100;
/** Of the statuses with this code one says that the consumer was deleted; after the others (a new leader, a shutdown) it is as it was. */
const MOVED = 409;

/** Statuses after which the same consumer may be asked again. All others end the source: whoever opened it looks what is left. */
const ASK_AGAIN = [/^Request Timeout/i, /^Batch Completed/i, /^Message Size Exceeds/i, /^No Messages/i];

/**
 * Pulls from a durable consumer through an inbox of its own, one request at a time. The client library's iterator bounds messages or
 * bytes but not both, and hides what waits in it: what is not known cannot be kept from being delivered to somebody else.
 */
export class PullSource implements Source {
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #validity: Validity = { live: true };
  readonly #silence: NodeJS.Timeout;
  readonly #forget: () => void;
  #held: Delivery[] = [];
  #bytes = 0;
  #request: Request | null = null;
  #requests = 0;
  #heardAt = 0;
  /** The next message is larger than what was asked for. */
  #tooLarge = false;
  #ended: string | null = null;

  constructor(private readonly options: PullOptions) {
    this.#subscription = options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#end(String(error), false)),
    });
    // The server forgets pull requests with the connection. What is held stays ours until its time to acknowledge is up.
    this.#forget = options.onDisconnect(() => this.#end(DISCONNECTED, true));
    this.#silence = setInterval(() => this.#listenForSilence(), HEARTBEAT_MS).unref();
    this.#ask();
  }

  get held(): Readonly<{ messages: number; bytes: number }> {
    return { messages: this.#held.length, bytes: this.#bytes };
  }

  get ended(): string | null {
    return this.#ended;
  }

  take(messages: number, bytes: number): readonly Delivery[] {
    let count = 0;
    let taken = 0;
    for (const { bytes: size } of this.#held) {
      if (count > 0 && (count >= messages || taken + size > bytes)) break;
      count += 1;
      taken += size;
    }
    const batch = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    this.#bytes -= taken;
    this.#ask();
    return batch;
  }

  keepAlive(): void {
    for (const delivery of this.#held) delivery.working();
  }

  async close(): Promise<void> {
    this.#end('closed', true);
    if (this.#ended === DISCONNECTED) this.#subscription.unsubscribe();
    else await this.#drain();
    for (const delivery of this.#held) delivery.nak();
    this.#held = [];
    this.#bytes = 0;
  }

  /** What was on its way still arrives, to be given back. */
  async #drain(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_MS);
    await Promise.race([this.#subscription.drain().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  /** `valid`: the consumer is as it was, so what is held can be worked on and acknowledged. Else it is let go: it is delivered anew. */
  #end(reason: string, valid: boolean): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#request = null;
    clearInterval(this.#silence);
    this.#forget();
    if (!valid) {
      this.#validity.live = false;
      this.#held = [];
      this.#bytes = 0;
    }
    this.options.news();
  }

  #receive(message: Msg): void {
    this.#heardAt = performance.now();
    // A message comes under the subject it was published on, a status under the request's.
    if (message.subject.startsWith(this.#inbox)) {
      this.#onStatus(message);
      return;
    }
    const delivery = new Delivery(message, this.#validity);
    this.#held.push(delivery);
    this.#bytes += delivery.bytes;
    if (this.#request !== null) {
      this.#request.received += 1;
      this.#request.left -= 1;
      if (this.#request.left === 0) this.#request = null;
    }
    this.#ask();
    this.options.news();
  }

  #onStatus(message: Msg): void {
    const request = this.#request;
    const { code = 0, description = '' } = message.headers ?? {};
    if (code === HEARTBEAT || request === null || message.subject !== request.subject) return;
    this.#request = null;
    if (!ASK_AGAIN.some((pattern) => pattern.test(description))) {
      this.#end(`${code} ${description}`.trim(), code === MOVED && !/deleted/i.test(description));
      return;
    }
    this.#tooLarge = /^Message Size/i.test(description) && request.received === 0;
    this.#ask();
  }

  /** Half of the room must be free: few requests, each worth it. */
  #ask(): void {
    const { maxMessages, maxBytes } = this.options;
    const free = maxMessages - this.#held.length;
    const freeBytes = maxBytes - this.#bytes;
    if (this.#request !== null || this.#ended !== null || free < maxMessages / 2 || freeBytes < maxBytes / 2) return;
    if (this.#tooLarge && this.#held.length > 0) return;
    this.#send(this.#tooLarge ? { batch: 1 } : { batch: free, max_bytes: freeBytes });
    this.#tooLarge = false;
  }

  #send(limits: Readonly<{ batch: number; max_bytes?: number }>): void {
    const { stream, durable } = this.options;
    this.#requests += 1;
    const subject = `${this.#inbox}.${this.#requests}`;
    const body = JSON.stringify({ ...limits, expires: EXPIRES_MS * NS_PER_MS, idle_heartbeat: HEARTBEAT_MS * NS_PER_MS });
    try {
      this.options.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, body, { reply: subject });
    } catch (error) {
      this.#end(String(error), true);
      return;
    }
    this.#heardAt = performance.now();
    this.#request = { subject, left: limits.batch, received: 0 };
  }

  #listenForSilence(): void {
    if (this.#request !== null && performance.now() - this.#heardAt > SILENCE_MS) this.#end('no heartbeat', false);
  }
}
