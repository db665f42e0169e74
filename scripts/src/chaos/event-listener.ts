import { setTimeout as delay } from 'node:timers/promises';
import { EVENTS_STREAM, eventsSubject } from '@bursar/contracts/bus';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const FETCH_MS = 500;
const RETRY_MS = 100;

/**
 * A subscriber as the world has them: a durable consumer of its own on EVENTS, made anew whenever it is missing. Remembers the ids of
 * the usage that it was told of, and how often it was told.
 */
export class EventListener {
  readonly heard = new Map<string, number>();
  readonly #ending = new AbortController();
  readonly #tenant: string;
  #work: Promise<void> = Promise.resolve();
  #resting = false;

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  start(nc: NatsConnection): void {
    this.#work = this.#listen(nc);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  /** While it rests it fetches nothing: what it has not heard yet is only in JetStream. */
  rest(resting: boolean): void {
    this.#resting = resting;
  }

  missing(ids: readonly string[]): readonly string[] {
    return ids.filter((id) => !this.heard.has(id));
  }

  async #listen(nc: NatsConnection): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) await this.#fetch(nc).catch(() => delay(RETRY_MS));
  }

  async #fetch(nc: NatsConnection): Promise<void> {
    const { consumers } = await jetstreamManager(nc, { checkAPI: false, timeout: 1_000 });
    await consumers.add(EVENTS_STREAM, {
      durable_name: 'listener',
      filter_subject: eventsSubject(this.#tenant, 'UsageRecorded'),
      ack_policy: AckPolicy.Explicit,
      ack_wait: 5_000_000_000,
    });
    const consumer = await jetstream(nc, { checkAPI: false, timeout: 1_000 }).consumers.get(EVENTS_STREAM, 'listener');
    while (!this.#ending.signal.aborted) {
      if (this.#resting) {
        await delay(RETRY_MS);
        continue;
      }
      for await (const message of await consumer.fetch({ max_messages: 100, expires: FETCH_MS + 500 })) {
        const events = message.json<readonly { data: { id: string } }[]>();
        for (const { data } of events) this.heard.set(data.id, (this.heard.get(data.id) ?? 0) + 1);
        message.ack();
      }
      await consumer.info();
    }
  }
}
