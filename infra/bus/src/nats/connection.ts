import { setTimeout as delay } from 'node:timers/promises';
import { MIN_NATS_SERVER } from '@bursar/contracts/bus';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import type { Counters } from '../counters.js';
import type { Logger } from '../logger.js';
import { connectionOptions } from './options.js';
import { isRefusal } from './refusal.js';
import { isAtLeast } from './version.js';

/** Why there is no usable connection; for readiness and logs. `refused`: there is a server, and it or we will not have the other. */
export type ConnectionProblem = 'not_connected' | 'refused' | 'server_too_old';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
const TOO_OLD_RETRY_MS = 10_000;

type Attach = (nc: NatsConnection) => void;

/**
 * Keeps one connection to NATS, for ever, in the background. Nothing here throws into a caller: while NATS is absent
 * `current` is null. Subscriptions are made in {@link onConnection}, which runs again should a connection be replaced.
 */
export class Connection {
  #nc: NatsConnection | null = null;
  #usable = false;
  #problem: ConnectionProblem | null;
  readonly #attach = new Set<Attach>();
  readonly #detach = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;

  constructor(
    /** Undefined: there is none, and that is as it should be. */
    url: string | undefined,
    name: string,
    private readonly counters: Counters,
    private readonly logger: Logger,
  ) {
    this.#problem = url === undefined ? null : 'not_connected';
    this.#done = url === undefined ? Promise.resolve() : this.#keep(connectionOptions(url, name));
  }

  /** The connection while it is up, else null: publishing while it is down would only fill memory. */
  get current(): NatsConnection | null {
    return this.#usable ? this.#nc : null;
  }

  get problem(): ConnectionProblem | null {
    return this.#problem;
  }

  /** Runs for each new connection, at once when there is one. Answers how to stop that. Reconnects keep subscriptions by themselves. */
  onConnection(attach: Attach): () => void {
    this.#attach.add(attach);
    if (this.#nc !== null && this.#usable) this.#run(attach, this.#nc);
    return () => this.#attach.delete(attach);
  }

  /** Runs when the connection is lost: what was sent and not acknowledged is unknown from here on. Answers how to stop that. */
  onDisconnect(listener: () => void): () => void {
    this.#detach.add(listener);
    return () => this.#detach.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#nc?.drain().catch(() => undefined);
    await this.#nc?.close();
    await this.#done;
  }

  async #keep(options: ConnectionOptions): Promise<void> {
    let wait = FIRST_RETRY_MS;
    let told = '';
    while (!this.#closing.signal.aborted) {
      try {
        const nc = await connect(options);
        wait = FIRST_RETRY_MS;
        told = '';
        if (!(await this.#accept(nc))) {
          wait = TOO_OLD_RETRY_MS;
        } else {
          await this.#serve(nc);
        }
      } catch (error) {
        this.#problem = isRefusal(error) ? 'refused' : 'not_connected';
        const reason = String(error);
        if (reason !== told) this.logger.warn({ error: reason }, 'NATS is not reachable; trying on in the background');
        told = reason;
      }
      await delay(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      wait = Math.min(wait * 2, LAST_RETRY_MS);
    }
  }

  /** Older servers ignore fields we set instead of refusing them (STACK §2), so the version is compared, not the behaviour. */
  async #accept(nc: NatsConnection): Promise<boolean> {
    const version = nc.info?.version ?? '0.0.0';
    if (isAtLeast(version, MIN_NATS_SERVER)) return true;
    this.#problem = 'server_too_old';
    this.logger.error({ version, needed: MIN_NATS_SERVER }, `nats-server ${version} is older than ${MIN_NATS_SERVER}: it is not used`);
    await nc.close();
    return false;
  }

  async #serve(nc: NatsConnection): Promise<void> {
    this.#nc = nc;
    this.#up(nc);
    for (const attach of this.#attach) this.#run(attach, nc);
    if (this.#closing.signal.aborted) await nc.close();
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') this.#down();
      else if (status.type === 'reconnect') this.#up(nc);
      else if (status.type === 'error') this.logger.warn({ error: String(status.error) }, 'NATS reported an error');
    }
    await nc.closed();
    this.#down();
    this.#nc = null;
  }

  #up(nc: NatsConnection): void {
    this.#usable = true;
    this.#problem = null;
    if (this.counters.connects > 0) this.counters.reconnects += 1;
    this.counters.connects += 1;
    this.logger.info({ server: nc.getServer(), version: nc.info?.version }, 'connected to NATS');
  }

  #down(): void {
    if (!this.#usable) return;
    this.#usable = false;
    this.#problem = 'not_connected';
    this.counters.disconnects += 1;
    if (!this.#closing.signal.aborted) this.logger.warn({}, 'the connection to NATS was lost');
    for (const listener of this.#detach) listener();
  }

  #run(attach: Attach, nc: NatsConnection): void {
    try {
      attach(nc);
    } catch (error) {
      // The connection closed in between; its successor runs this again.
      this.logger.warn({ error: String(error) }, 'could not subscribe on NATS');
    }
  }
}
