import { randomUUID } from 'node:crypto';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Endpoint } from './endpoint.js';
import { type MayReplyTo, mayReplyTo } from './reply-subject.js';

/** Who answers, as NATS services discovery shows it. */
export type ServiceIdentity = Readonly<{
  /** Letters, digits, `-`, `_`; the same for all replicas. */
  name: string;
  /** Semantic version. */
  version: string;
  description: string;
  /** Where its AsyncAPI document is to be had, an absolute URL if it is known. */
  document: string;
}>;

const NAME = /^[A-Za-z0-9_-]+$/;
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, for all services, by name, and by name and id (NATS ADR-32): `nats micro ls` and
 * any client's service client find this process. Throws `RangeError` on a name or version that the protocol does not take.
 */
export class Discovery {
  readonly id = randomUUID();
  readonly #started = new Date().toISOString();
  readonly #mayReplyTo: MayReplyTo;
  #subscriptions: readonly Subscription[] = [];

  constructor(
    private readonly identity: ServiceIdentity,
    private readonly endpoints: readonly Endpoint[],
  ) {
    if (!NAME.test(identity.name)) throw new RangeError(`a service may not be called ${identity.name}`);
    if (!VERSION.test(identity.version)) throw new RangeError(`${identity.version} is no semantic version`);
    this.#mayReplyTo = mayReplyTo(endpoints.map(({ subject }) => subject));
  }

  /** Every replica answers for itself: no queue group. */
  attach(nc: NatsConnection): void {
    const verbs = { PING: () => this.#ping(), INFO: () => this.#info(), STATS: () => this.#stats() };
    const { name } = this.identity;
    this.#subscriptions = Object.entries(verbs).flatMap(([verb, answer]) =>
      [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${this.id}`].map((subject) =>
        nc.subscribe(subject, { callback: (error, message) => (error === null ? this.#respond(message, answer()) : undefined) }),
      ),
    );
  }

  /** Not found any more. */
  detach(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
  }

  #respond(message: Msg, answer: object): void {
    if (this.#mayReplyTo(message.reply)) message.respond(JSON.stringify(answer));
  }

  #self(type: 'ping' | 'info' | 'stats'): object {
    const { name, version, document } = this.identity;
    return { type: `io.nats.micro.v1.${type}_response`, name, id: this.id, version, metadata: { schema: document } };
  }

  #ping(): object {
    return this.#self('ping');
  }

  #info(): object {
    return { ...this.#self('info'), description: this.identity.description, endpoints: this.endpoints.map((endpoint) => endpoint.info()) };
  }

  #stats(): object {
    return { ...this.#self('stats'), started: this.#started, endpoints: this.endpoints.map((endpoint) => endpoint.stats()) };
  }
}
