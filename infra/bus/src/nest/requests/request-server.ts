import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { type MessageHandler, NatsContext, ServerNats } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus } from '../../bus.js';
import { Discovery, type ServiceIdentity } from './discovery.js';
import { Endpoint, type EndpointOptions } from './endpoint.js';
import type { DirectHandler } from './nats-requests.js';
import { FAULT, type Reply, replyOf } from './reply.js';
import { mayReplyTo } from './reply-subject.js';

const DRAIN_MS = 2_000;
/** Handlers answer within 10 s. */
const ANSWER_MS = 12_000;

/**
 * Nest's NATS transport on the bus's connection: absent, lost and new connections are the bus's business, and listening never fails
 * the boot. Closing takes no more requests and lets those taken be answered, where Nest's own would wait a fixed time.
 */
export class NatsRequestServer extends ServerNats {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #identity: ServiceIdentity;
  #discovery: Discovery | null = null;
  #subscribed: readonly Subscription[] = [];
  #detach: (() => void) | null = null;
  #inFlight = 0;
  #whenIdle: (() => void) | null = null;

  constructor(
    private readonly bus: Bus,
    identity: ServiceIdentity,
    /** By subject: handlers that are asked thousands of times a second, and have no guard, pipe, interceptor or filter that Nest would run around them. */
    private readonly direct: ReadonlyMap<string, DirectHandler> = new Map(),
  ) {
    super({});
    this.#identity = identity;
  }

  override async listen(listening: (error?: unknown) => void): Promise<void> {
    try {
      for (const [subject, { extras }] of this.getHandlers()) {
        this.#endpoints.set(subject, new Endpoint(subject, extras as EndpointOptions, this.#identity.document));
      }
      this.#discovery = new Discovery(this.#identity, [...this.#endpoints.values()]);
      this.#detach = this.bus.onConnection((nc) => this.bindEvents(nc));
      listening();
    } catch (error) {
      listening(error);
    }
  }

  /** Once for each new connection; a reconnect keeps subscriptions by itself. */
  override bindEvents(nc: NatsConnection): void {
    const mayReply = mayReplyTo([...this.#endpoints.keys()]);
    this.#subscribed = [...this.#endpoints.values()].map((endpoint) => {
      const answer = this.direct.get(endpoint.subject) ?? ((message) => this.#throughNest(endpoint.subject, message as Msg));
      const callback = (error: Error | null, message: Msg): void => {
        if (error !== null) this.bus.logger.warn({ err: error, subject: endpoint.subject }, 'requests on a subject are not heard');
        else if (mayReply(message.reply)) this.#take(endpoint, message, answer);
        else {
          this.bus.counters.repliesRefused += 1;
          this.bus.logger.warn({ subject: message.subject }, 'a request wants its reply where none may go; it is ignored');
        }
      };
      return nc.subscribe(endpoint.subject, { queue: endpoint.queue, callback });
    });
    this.#discovery?.attach(nc);
  }

  override async close(): Promise<void> {
    this.#detach?.();
    this.#discovery?.detach();
    await within(DRAIN_MS, this.#drain());
    await within(ANSWER_MS, this.#idle());
  }

  /** Subjects are no JSON; Nest's own tries to parse each as such, and catches the error, for every message. */
  override getHandlerByPattern(subject: string): MessageHandler | null {
    return this.messageHandlers.get(subject) ?? null;
  }

  /** At once, where the handler answers at once: a promise costs as much as a tenth of a check, and several of them come in one read. */
  #take(endpoint: Endpoint, message: Msg, answer: DirectHandler): void {
    const startedAt = performance.now();
    this.#inFlight += 1;
    const send = (reply: Reply): void => {
      endpoint.count(performance.now() - startedAt, reply.error);
      try {
        message.respond(reply.body, { headers: reply.headers });
      } catch (error) {
        // The connection is over, or the answer larger than the server takes. Thrown on, it would end the client's reading.
        this.bus.logger.warn({ err: error, subject: message.subject }, 'an answer could not be sent');
      }
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#whenIdle?.();
    };
    const fail = (error: unknown): void => {
      this.bus.logger.error({ err: error, subject: message.subject }, 'a request could not be answered');
      send(FAULT);
    };
    let reply: Reply | Promise<Reply>;
    try {
      reply = answer(message);
    } catch (error) {
      fail(error);
      return;
    }
    if (reply instanceof Promise) reply.then(send, fail);
    else send(reply);
  }

  /** The bytes as they came to Nest's handler, and its reply as it is. Nest's own takes envelopes and an Observable, which cost more than most answers. */
  async #throughNest(subject: string, message: Msg): Promise<Reply> {
    const handler = this.getHandlerByPattern(subject);
    if (handler === null) return FAULT;
    try {
      const answer: unknown = await handler(message, new NatsContext([message.subject, message.headers]));
      return replyOf(isObservable(answer) ? await lastValueFrom(answer) : answer);
    } catch {
      // Nest has logged it, and its cause is for the log only.
      return FAULT;
    }
  }

  override unwrap<T>(): T {
    return this.bus as T;
  }

  /** Resolves once everything that was taken is answered. */
  #idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle = resolve;
    if (this.#inFlight === 0) resolve();
    return promise;
  }

  /** Nobody hears new requests from here; those on their way still come. */
  async #drain(): Promise<void> {
    if (this.bus.connected) await Promise.allSettled(this.#subscribed.map((subscription) => subscription.drain()));
    else for (const subscription of this.#subscribed) subscription.unsubscribe();
  }
}

const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, late]);
  clearTimeout(timer);
};
