import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Counters } from '../counters.js';
import type { Logger } from '../logger.js';
import type { Connection } from './connection.js';
import { driftOf, FOREIGN, type WantedStream } from './streams.js';

const CHECK_MS = 10_000;
const RETRY_MS = 1_000;
const API_TIMEOUT_MS = 3_000;

/**
 * Makes the streams and keeps them as they must be: checked at each connection and every 10 s (RELIABILITY IN-E12). What is
 * missing is made, what was changed is set right; what cannot be is reported, in `problems` and loudly in the log.
 */
export class StreamGuard {
  #problems: readonly string[] = ['streams not checked yet'];
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> | null = null;
  #closed = false;

  constructor(
    private readonly connection: Connection,
    private readonly wanted: readonly WantedStream[],
    private readonly counters: Counters,
    private readonly logger: Logger,
  ) {
    connection.onConnection((nc) => {
      void this.#check();
      void this.#afterReconnects(nc);
    });
  }

  /** Empty when all streams are as they must be. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** One check now, or the one in progress. Never rejects. */
  check(): Promise<void> {
    return this.#check();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #afterReconnects(nc: NatsConnection): Promise<void> {
    // The server behind a reconnect may have lost its store.
    for await (const status of nc.status()) if (status.type === 'reconnect') await this.#check();
  }

  #check(): Promise<void> {
    this.#checking ??= this.#run().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #run(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const nc = this.connection.current;
    const problems = nc === null ? ['not connected'] : await this.#repairAll(nc);
    for (const problem of problems)
      if (nc !== null && !this.#problems.includes(problem)) this.logger.error({ problem }, 'a stream is not right');
    this.#problems = problems;
    this.counters.streamProblems += nc === null ? 0 : problems.length;
    if (!this.#closed) this.#timer = setTimeout(() => void this.#check(), problems.length > 0 ? RETRY_MS : CHECK_MS).unref();
  }

  async #repairAll(nc: NatsConnection): Promise<readonly string[]> {
    const problems: string[] = [];
    try {
      const manager = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
      for (const wanted of this.wanted) {
        const problem = await this.#repair(manager, wanted);
        if (problem !== null) problems.push(problem);
      }
    } catch (error) {
      problems.push(`JetStream does not answer: ${String(error)}`);
    }
    return problems;
  }

  async #repair(manager: JetStreamManager, wanted: WantedStream): Promise<string | null> {
    const { disposable, ...config } = wanted;
    try {
      const actual = await configOf(manager, wanted.name);
      const drift = actual === null ? ['missing'] : driftOf(wanted, actual);
      if (drift.length === 0) return null;
      if (actual === null) await manager.streams.add(config);
      else await this.#change(manager, wanted);
      this.counters.streamRepairs += 1;
      this.logger.info({ stream: wanted.name, was: drift }, 'stream set right');
      return null;
    } catch (error) {
      return `${wanted.name}: ${String(error)}`;
    }
  }

  async #change(manager: JetStreamManager, wanted: WantedStream): Promise<void> {
    const { disposable, ...config } = wanted;
    const cleared = Object.fromEntries(FOREIGN.map((key) => [key, undefined]));
    try {
      await manager.streams.update(wanted.name, { ...config, ...cleared } as Partial<StreamConfig>);
    } catch (error) {
      if (!disposable) throw error;
      // Some settings cannot be changed. The ledger stream is only a copy of the store: make it anew.
      this.logger.warn({ stream: wanted.name, error: String(error) }, 'stream made anew because it could not be changed');
      await manager.streams.delete(wanted.name);
      await manager.streams.add(config);
    }
  }
}

const configOf = async (manager: JetStreamManager, name: string): Promise<StreamConfig | null> => {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return null;
    throw error;
  }
};
