import { setTimeout as delay } from 'node:timers/promises';
import { usageIntakeSubject, usageRecordSubject } from '@bursar/contracts/bus';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** Where and as whom usage is sent. */
export type LoadTarget = Readonly<{ apiUrl: string; adminApiKey: string; tenant: string }>;
export type Way = 'http' | 'request' | 'intake';
export type SentEvent = Readonly<{ id: string; source: string; scopes: readonly string[]; cost: { amount: string; currency: string } }>;

const TIMEOUT_MS = 2_000;

/**
 * Sends one event at a time by each way, with a short rest in between, and remembers what became of it: whether it was acknowledged.
 * Each way has amounts of its own, so that a wrong sum tells which way it comes from.
 */
export class SteadyLoad {
  readonly acknowledged: Readonly<Record<Way, SentEvent[]>> = { http: [], request: [], intake: [] };
  readonly unknown: SentEvent[] = [];
  /** Answers over HTTP that were neither 202 nor the shedding of load. */
  readonly complaints: string[] = [];
  slowestHttpMs = 0;
  readonly #target: LoadTarget;
  readonly #restMs: number;
  readonly #ending = new AbortController();
  #count = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(target: LoadTarget, restMs: number) {
    this.#target = target;
    this.#restMs = restMs;
  }

  start(nc: NatsConnection): void {
    const { tenant } = this.#target;
    const js = jetstream(nc, { checkAPI: false, timeout: TIMEOUT_MS });
    this.#work = Promise.all([
      this.#run('http', '0.01', (event) => this.#post(event)),
      this.#run('request', '10', async (event) => {
        const reply = await nc.request(usageRecordSubject(tenant), JSON.stringify(event), { timeout: TIMEOUT_MS });
        return reply.string().includes('"accepted"') || reply.string().includes('"duplicate"');
      }),
      this.#run('intake', '10000', async (event) => {
        await js.publish(usageIntakeSubject(tenant), JSON.stringify(event), { msgID: event.id, timeout: TIMEOUT_MS });
        return true;
      }),
    ]);
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  /** Everything that was sent, whatever became of it. */
  get sent(): readonly SentEvent[] {
    return [...this.acknowledged.http, ...this.acknowledged.request, ...this.acknowledged.intake, ...this.unknown];
  }

  async #run(way: Way, amount: string, send: (event: SentEvent) => Promise<boolean>): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#count += 1;
      const event = { id: `${way}-${this.#count}`, source: 'steady', scopes: ['team:steady'], cost: { amount, currency: 'USD' } };
      const acknowledged = await send(event).catch(() => false);
      if (acknowledged) this.acknowledged[way].push(event);
      else this.unknown.push(event);
      await delay(this.#restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #post(event: SentEvent): Promise<boolean> {
    const { apiUrl, adminApiKey, tenant } = this.#target;
    const began = performance.now();
    try {
      const response = await fetch(`${apiUrl}/api/v1/usage`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminApiKey}`, 'bursar-tenant': tenant, 'content-type': 'application/json' },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      // A process that is late sheds load, with or without NATS: that tells of the machine it runs on.
      if (response.status !== 202 && !text.includes('"overloaded"')) this.complaints.push(`${event.id}: ${response.status} ${text}`);
      return response.status === 202;
    } catch (error) {
      this.complaints.push(`${event.id}: ${String(error)}`);
      return false;
    } finally {
      this.slowestHttpMs = Math.max(this.slowestHttpMs, performance.now() - began);
    }
  }
}
