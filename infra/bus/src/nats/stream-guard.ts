import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Counters } from '../counters.js';
import type { Logger } from '../logger.js';
import type { Connection } from './connection.js';
import { driftOf, FOREIGN, type WantedStream } from './streams.js';

const CHECK_MS = 10_000;
const RETRY_MS = 1_000;
const SOON_MS = 200;
const API_TIMEOUT_MS = 3_000;
/** JetStream tells whenever a stream was made, changed or deleted. */
const ADVISORIES = '$JS.EVENT.ADVISORY.STREAM.*.*';
/** "stream configuration update can not change …" */
const CANNOT_CHANGE = 10_052;

/**
 * Makes the streams and keeps them as they must be: checked at each connection, when JetStream tells of a change, and every 10 s in
 * case it told nobody (RELIABILITY IN-E12). What is missing is made, what was changed is set right; what cannot be is reported, in
 * `problems` and loudly in the log.
 */
export class StreamGuard {
  #problems: readonly string[] = ['streams not checked yet'];
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> | null = null;
  /** A check follows shortly. */
  #soon = false;
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
      // Without permission to hear of it the timer has to do.
      nc.subscribe(ADVISORIES, { callback: (error) => (error === null ? this.#checkSoon() : undefined) });
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

  /** Changes come in bursts, ours among them. */
  #checkSoon(): void {
    if (this.#closed || this.#soon) return;
    this.#soon = true;
    this.#schedule(SOON_MS);
  }

  #schedule(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), ms).unref();
  }

  #check(): Promise<void> {
    this.#checking ??= this.#run().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #run(): Promise<void> {
    this.#soon = false;
    const nc = this.connection.current;
    const problems = nc === null ? ['not connected'] : await this.#repairAll(nc);
    for (const problem of problems)
      if (nc !== null && !this.#problems.includes(problem)) this.logger.error({ problem }, 'a stream is not right');
    this.#problems = problems;
    this.counters.streamProblems += nc === null ? 0 : problems.length;
    if (this.#closed) return;
    this.#schedule(this.#soon ? SOON_MS : problems.length > 0 ? RETRY_MS : CHECK_MS);
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
      if (!disposable || !(error instanceof JetStreamApiError && error.code === CANNOT_CHANGE)) throw error;
      // Some settings cannot be changed. What is only a copy of the store is made anew, unless another process just did.
      const now = await configOf(manager, wanted.name);
      if (now !== null && driftOf(wanted, now).length === 0) return;
      this.logger.warn({ stream: wanted.name, error: String(error) }, 'stream made anew because it could not be changed');
      if (now !== null) await manager.streams.delete(wanted.name);
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
