import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Pool } from 'undici';
import type { RunningSystem } from './system.ts';

/** Milliseconds from the 202 of the usage that crosses a threshold. */
export type AlertTimes = Readonly<{ busMs: readonly number[]; webhookMs: readonly number[] }>;

const EVERY_MS = 50;
/** All alerts of a run have come by then, or are missing. */
const PATIENCE_MS = 30_000;

/**
 * Usage that crosses the one threshold of a budget made for it, twenty a second, and who hears of each when: a subscriber of the alert
 * topics, and a webhook receiver. Both run in this process, by one clock.
 */
export class AlertProbes {
  readonly #accepted = new Map<string, number>();
  readonly #onBus = new Map<string, number>();
  readonly #atWebhook = new Map<string, number>();

  private readonly system: RunningSystem;
  private readonly tenant: string;
  private readonly nc: NatsConnection;
  private readonly receiver: Server;

  private constructor(system: RunningSystem, tenant: string, nc: NatsConnection, receiver: Server) {
    this.system = system;
    this.tenant = tenant;
    this.nc = nc;
    this.receiver = receiver;
    nc.subscribe(`alerts.${tenant}.>`, { callback: (_error, message) => this.#hear(this.#onBus, message.subject.split('.')[4]) });
    receiver.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(204).end();
        const { data } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { data?: { budget?: { scope?: string } } };
        this.#hear(this.#atWebhook, data?.budget?.scope?.split(':')[1]);
      });
    });
  }

  static async open(system: RunningSystem, tenant: string): Promise<AlertProbes> {
    const { host, username, password } = new URL(system.natsUrl);
    const nc = await connect({ servers: host, user: username, pass: decodeURIComponent(password) });
    const receiver = createServer().listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as { port: number };
    const probes = new AlertProbes(system, tenant, nc, receiver);
    await probes.#post('/channels', { type: 'webhook', name: 'bench', url: `http://127.0.0.1:${port}/alerts` });
    return probes;
  }

  async close(): Promise<void> {
    await this.nc.close();
    this.receiver.closeAllConnections();
    this.receiver.close();
  }

  /** Makes the budgets first, then lets `during` run while they are crossed one by one. */
  async measure(run: string, count: number, during: () => Promise<unknown>): Promise<AlertTimes> {
    const names = Array.from({ length: count }, (_, n) => `${run}-${n}`);
    for (const name of names) await this.#post('/budgets', budgetOf(name));
    const pool = new Pool(this.system.ingestionUrl, { connections: 4, pipelining: 1 });
    const load = during();
    try {
      await delay(1_000);
      for (const name of names) {
        void this.#cross(pool, name);
        await delay(EVERY_MS);
      }
      const until = performance.now() + PATIENCE_MS;
      while (performance.now() < until && names.some((name) => !this.#onBus.has(name) || !this.#atWebhook.has(name))) await delay(20);
      await load;
    } finally {
      await pool.close();
    }
    return { busMs: this.#times(names, this.#onBus), webhookMs: this.#times(names, this.#atWebhook) };
  }

  /** One that never came counts as never having come. */
  #times(names: readonly string[], heard: ReadonlyMap<string, number>): readonly number[] {
    return names.map((name) => Math.max(0, (heard.get(name) ?? Number.POSITIVE_INFINITY) - (this.#accepted.get(name) ?? 0)));
  }

  #hear(heard: Map<string, number>, name: string | undefined): void {
    if (name !== undefined && !heard.has(name)) heard.set(name, performance.now());
  }

  async #cross(pool: Pool, name: string): Promise<void> {
    const body = JSON.stringify({ id: name, source: 'probe', scopes: [`probe:${name}`], cost: { amount: '0.9', currency: 'USD' } });
    const answer = await pool.request({ method: 'POST', path: '/api/v1/usage', headers: this.#headers(), body });
    await answer.body.dump();
    if (answer.statusCode !== 202) throw new Error(`a probe was answered ${answer.statusCode}`);
    this.#accepted.set(name, performance.now());
  }

  async #post(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.system.apiUrl}/api/v1${path}`, {
      method: 'POST',
      headers: this.#headers(),
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`POST ${path}: HTTP ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.system.adminApiKey}`, 'bursar-tenant': this.tenant, 'content-type': 'application/json' };
  }
}

const budgetOf = (name: string): object => ({
  name,
  scope: `probe:${name}`,
  limit: { amount: '1', currency: 'USD' },
  period: { kind: 'monthly', timezone: 'UTC' },
  thresholds: [{ percent: 80, severity: 'warning' }],
});
