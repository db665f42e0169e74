import { type AppendNotice, appendedSubject } from '@bursar/contracts/bus';
import type { AppendedRange, EventStore } from '@bursar/event-store';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { noticeOf } from './append-notice.js';
import { type Counters, gauge, newCounters, type Sample, samplesOf } from './counters.js';
import { LedgerHub } from './ledger/hub.js';
import { type Logger, silent } from './logger.js';
import { Connection } from './nats/connection.js';
import { Publisher, type Stored } from './nats/publisher.js';
import { StreamGuard } from './nats/stream-guard.js';
import { DEFAULT_STREAM_LIMITS, type StreamLimits, wantedStreams } from './nats/streams.js';
import { Notices } from './notices.js';
import { toRangeMessage } from './range-message.js';
import { Unhurried } from './unhurried.js';

export type BusOptions = Readonly<{
  /** `nats://user:password@host:port`, several separated by commas; `tls://` insists on TLS. Absent: without NATS, from the store alone. */
  url?: string | undefined;
  /** Shown by the server as the connection's name. */
  name: string;
  logger?: Logger;
  streams?: Partial<StreamLimits>;
  /** A consumer of this process is stuck for good. Default: ends the process, for whoever supervises it to start it again (RELIABILITY F15). */
  onGivenUp?: () => void;
}>;

/** NATS has refused this process ever since it started: its `NATS_URL`, certificate or credentials are not what they must be. */
export class BusRefusedError extends Error {
  override readonly name = 'BusRefusedError';
}

export type CoveredListener = (partition: number, first: number, last: number) => void;

const FIRST_CHECK_MS = 2_000;

/**
 * NATS as this process sees it. Nothing here throws because NATS is absent, slow or lost, and nothing waits for it: a range that
 * cannot be published is read from the store by whoever needs it.
 */
export class Bus {
  readonly counters: Counters = newCounters();
  readonly logger: Logger;
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  readonly #limits: StreamLimits;
  readonly #isOffline: boolean;
  readonly #onGivenUp: () => void;
  readonly #hubs = new Map<EventStore, LedgerHub>();
  readonly #acked = new Map<number, number>();
  readonly #coveredListeners = new Set<CoveredListener>();
  readonly #notices = new Notices((partition, notice) => this.#publishNotice(partition, notice));
  readonly #unhurried = new Unhurried((range) => this.#send(range, () => undefined));
  #guard: StreamGuard | null = null;

  constructor(options: BusOptions) {
    this.logger = options.logger ?? silent;
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...options.streams };
    this.#onGivenUp = options.onGivenUp ?? (() => process.exit(1));
    this.#isOffline = options.url === undefined;
    this.#connection = new Connection(options.url, options.name, this.counters, this.logger);
    this.#publisher = new Publisher(this.#connection, this.logger);
  }

  get connected(): boolean {
    return this.#connection.current !== null;
  }

  /** Why the bus is not all it should be, for readiness and operators; empty when it is. The store's work does not depend on it. */
  get problems(): readonly string[] {
    const { problem } = this.#connection;
    if (problem !== null) return [problem];
    const unstored = this.#publisher.silent.map((kind) => `${kind}.*: JetStream acknowledges nothing`);
    return [...(this.#guard?.problems ?? []), ...unstored];
  }

  /**
   * For readiness. Throws {@link BusRefusedError} where no connection was ever made because it was refused: a release with wrong settings
   * is to go no further (RELIABILITY IN-E16). NATS that is away, or refuses later, is no reason: the store's work does not need it.
   */
  ready(): void {
    if (this.#connection.problem === 'refused' && this.counters.connects === 0) throw new BusRefusedError('NATS refuses this process');
  }

  /** The connection while it is up, else null: for what the bus has no method for. */
  get connection(): NatsConnection | null {
    return this.#connection.current;
  }

  /** Runs for each new connection, at once when there is one: the place to subscribe. Reconnects keep subscriptions by themselves. */
  onConnection(attach: (nc: NatsConnection) => void): () => void {
    return this.#connection.onConnection(attach);
  }

  /** Runs when the connection is lost: what the server knew of it is void. Answers how to stop that. */
  onDisconnect(listener: () => void): () => void {
    return this.#connection.onDisconnect(listener);
  }

  /** Makes the streams and keeps them right from now on. Resolves after the first check or 2 s; never rejects. */
  async ensureStreams(): Promise<void> {
    if (this.#isOffline) return;
    this.#guard ??= new StreamGuard(this.#connection, wantedStreams(this.#limits), this.counters, this.logger);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FIRST_CHECK_MS).unref();
    await Promise.race([this.#guard.check(), promise]);
    clearTimeout(timer);
  }

  /**
   * Announces what this process just appended, one JetStream message on `ledger.<partition>`, and hands it to consumers in this
   * process. Fire and forget: call it from `store.onAppended`. `isHurried` false: nobody elsewhere waits for it, so it may go out with what follows, within
   * 100 ms, in one message.
   */
  publishRange(range: AppendedRange, isHurried = true): void {
    for (const hub of this.#hubs.values()) hub.appended(range);
    this.#unhurried.add(range);
    if (isHurried) this.#unhurried.flush();
  }

  /** As {@link publishRange} for a range read from the store: on the bus only. True once JetStream has stored it. Never rejects. */
  sendRange(range: AppendedRange): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#send(range, resolve);
    return promise;
  }

  /** The highest position of a partition that this process published and JetStream acknowledged; 0 before the first. */
  ackedThrough(partition: number): number {
    return this.#acked.get(partition) ?? 0;
  }

  /** Ranges and messages sent and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#publisher.outstanding;
  }

  /** Publishes to a JetStream stream. True once it is stored; false when refused, not sent, or not known within 5 s. Never rejects. */
  async publish(subject: string, body: Uint8Array, headers: MsgHdrs): Promise<boolean> {
    return (await this.store(subject, body, headers)) !== null;
  }

  /** As {@link publish}, for who wants to know where it is stored. */
  store(subject: string, body: Uint8Array, headers: MsgHdrs): Promise<Stored | null> {
    const { promise, resolve } = Promise.withResolvers<Stored | null>();
    if (!this.#publisher.publish(subject, body, headers, resolve)) resolve(null);
    return promise;
  }

  /** For consumers: nothing in this process helps any more. */
  giveUp(why: string): void {
    this.logger.error({}, `${why}: this process is given up`);
    this.#onGivenUp();
  }

  /** What consumers of a store in this process share. */
  hubOf(store: EventStore): LedgerHub {
    const known = this.#hubs.get(store);
    if (known !== undefined) return known;
    const hub = new LedgerHub(store, this.#connection, this.counters, this.logger, (...range) => this.#heard(...range));
    this.#hubs.set(store, hub);
    return hub;
  }

  /** Hears of every range that was on `ledger.*`: those received (of consumed partitions) and those of ours that were stored. */
  onCovered(listener: CoveredListener): () => void {
    this.#coveredListeners.add(listener);
    return () => this.#coveredListeners.delete(listener);
  }

  /** What happened and how it stands, under Prometheus names, for a registry's `collect`. */
  samples(): readonly Sample[] {
    return [
      gauge('bursar_bus_connected', '1 while there is a connection to NATS that is used', this.connected ? 1 : 0),
      gauge('bursar_bus_problems', 'Streams that are not as they must be, or 1 without a connection', this.problems.length),
      gauge('bursar_bus_unacknowledged', 'Messages sent to JetStream that it has not acknowledged yet', this.unacknowledged),
      ...samplesOf(this.counters),
    ];
  }

  async close(): Promise<void> {
    this.#unhurried.flush();
    this.#guard?.close();
    await this.#connection.close();
    this.#publisher.close();
  }

  #send(range: AppendedRange, settled: (stored: boolean) => void): void {
    this.#notices.appended(range.partition, noticeOf(range));
    // Without a connection not even the message is made.
    const message = this.connected ? toRangeMessage(range) : null;
    const sent =
      message !== null &&
      this.#publisher.publish(message.subject, message.body, message.headers, (stored) => {
        this.#onRangeAck(range, stored !== null);
        settled(stored !== null);
      });
    if (!sent) {
      this.counters.rangesDropped += 1;
      settled(false);
    } else if (message.wake) this.counters.wakesPublished += 1;
    else this.counters.rangesPublished += 1;
  }

  /** For whoever takes no ranges: it is heard now, or not at all. */
  #publishNotice(partition: number, notice: AppendNotice): void {
    if (this.connected && this.#publisher.tell(appendedSubject(partition), JSON.stringify(notice))) this.counters.noticesPublished += 1;
  }

  #onRangeAck({ partition, first, last }: AppendedRange, stored: boolean): void {
    if (!stored) {
      this.counters.rangesFailed += 1;
      return;
    }
    this.counters.rangesAcked += 1;
    if (last > this.ackedThrough(partition)) this.#acked.set(partition, last);
    this.#tellCovered(partition, first, last);
  }

  #heard(partition: number, first: number, last: number): void {
    this.#unhurried.heard(partition, first);
    this.#tellCovered(partition, first, last);
  }

  #tellCovered(partition: number, first: number, last: number): void {
    for (const listener of this.#coveredListeners) listener(partition, first, last);
  }
}

/** A bus that connects, and stays connected, in the background. Throws `TypeError` on a malformed URL, and nothing else. */
export const connectBus = async (options: BusOptions): Promise<Bus> => new Bus(options);
