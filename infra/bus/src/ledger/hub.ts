import { ledgerSubject } from '@bursar/contracts/bus';
import type { AppendedRange, EventStore, PartitionHead } from '@bursar/event-store';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Counters } from '../counters.js';
import type { Logger } from '../logger.js';
import type { Connection } from '../nats/connection.js';
import { isWake, readRange } from '../range-message.js';
import { type BufferedRange, ownRange, receivedRange } from './buffered-range.js';
import type { ByteBudget } from './range-buffer.js';

/** What a consumer hears about its partition. Must not throw. */
export type Member = Readonly<{
  offer(range: BufferedRange): void;
  /** The store's head, or what a message claims it is. */
  head(position: number): void;
}>;

type Joined = Readonly<{ member: Member; pollMs: number }>;

/** What all consumers of a process together may hold in ranges that wait. */
const BUFFER_BYTES = 24 * 1024 * 1024;

/**
 * One for all consumers of a process: one subscription per partition that somebody consumes, and one query for all heads per poll,
 * so sixteen idle partitions cost one query. Core subscriptions: a message missed is a gap, and gaps are read from the store.
 */
export class LedgerHub {
  readonly buffers: ByteBudget = { used: 0, limit: BUFFER_BYTES };
  readonly #members = new Map<number, Set<Joined>>();
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #headListeners = new Set<(heads: readonly PartitionHead[]) => void>();
  #nc: NatsConnection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #polling = false;
  #pollFailed = false;

  constructor(
    private readonly store: EventStore,
    private readonly connection: Connection,
    private readonly counters: Counters,
    private readonly logger: Logger,
    private readonly covered: (partition: number, first: number, last: number) => void,
  ) {
    connection.onConnection((nc) => this.#attach(nc));
  }

  /** Without a connection there is nothing to wait for: a consumer asks the store. */
  get connected(): boolean {
    return this.connection.current !== null;
  }

  /** Answers how to leave. */
  join(partition: number, pollMs: number, member: Member): () => void {
    const joined: Joined = { member, pollMs };
    const members = this.#members.get(partition) ?? new Set();
    members.add(joined);
    this.#members.set(partition, members);
    this.#subscribe(partition);
    this.#schedule();
    return () => {
      members.delete(joined);
      if (members.size === 0) this.#leave(partition);
    };
  }

  /** Should a subscription be there in name alone. */
  resubscribe(partition: number): void {
    this.#subscriptions.get(partition)?.unsubscribe();
    this.#subscriptions.delete(partition);
    if (this.#members.has(partition)) this.#subscribe(partition);
  }

  /** Hears every poll of the heads, while somebody consumes. */
  onHeads(listener: (heads: readonly PartitionHead[]) => void): () => void {
    this.#headListeners.add(listener);
    return () => this.#headListeners.delete(listener);
  }

  /** What this process appended itself: its consumers take it from memory, however the bus fares. */
  appended(range: AppendedRange): void {
    if (this.#members.has(range.partition)) this.#offer(range.partition, ownRange(range));
  }

  #leave(partition: number): void {
    this.#members.delete(partition);
    this.#subscriptions.get(partition)?.unsubscribe();
    this.#subscriptions.delete(partition);
    if (this.#members.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #attach(nc: NatsConnection): void {
    this.#nc = nc;
    this.#subscriptions.clear();
    for (const partition of this.#members.keys()) this.#subscribe(partition);
  }

  #subscribe(partition: number): void {
    if (this.#subscriptions.has(partition) || this.#nc === null || this.#nc.isClosed()) return;
    const subscription = this.#nc.subscribe(ledgerSubject(partition), {
      callback: (error, message) => {
        if (error === null) this.receive(partition, message);
        else this.logger.warn({ error: String(error), partition }, 'the ledger subscription was refused; the store is polled');
      },
    });
    this.#subscriptions.set(partition, subscription);
  }

  /** A message that came on a partition's subject. Whoever may publish there may have sent it: it only says where to look. */
  receive(partition: number, message: Pick<Msg, 'headers' | 'data'>): void {
    this.counters.rangesReceived += 1;
    const range = readRange(message);
    if (range === null) {
      this.counters.messagesMalformed += 1;
      return;
    }
    this.covered(partition, range.first, range.last);
    if (isWake(range)) {
      for (const { member } of this.#members.get(partition) ?? []) member.head(range.last);
      return;
    }
    this.#offer(partition, receivedRange(range, partition));
  }

  #offer(partition: number, range: BufferedRange): void {
    for (const { member } of this.#members.get(partition) ?? []) member.offer(range);
  }

  #schedule(): void {
    if (this.#timer !== null || this.#polling || this.#members.size === 0) return;
    const every = Math.min(...[...this.#members.values()].flatMap((members) => [...members].map(({ pollMs }) => pollMs)));
    this.#timer = setTimeout(() => void this.#poll(), every);
  }

  async #poll(): Promise<void> {
    this.#timer = null;
    this.#polling = true;
    try {
      const heads = await this.store.heads();
      this.#pollFailed = false;
      for (const listener of this.#headListeners) listener(heads);
      for (const { partition, position } of heads) {
        for (const { member } of this.#members.get(partition) ?? []) member.head(position);
      }
    } catch (error) {
      this.counters.storeReadFailures += 1;
      if (!this.#pollFailed) this.logger.warn({ error: String(error) }, 'the event store does not answer; asking on');
      this.#pollFailed = true;
    } finally {
      this.#polling = false;
      this.#schedule();
    }
  }
}
