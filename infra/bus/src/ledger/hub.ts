import { type AppendNotice, appendedSubject, ledgerSubject } from '@bursar/contracts/bus';
import type { AppendedRange, EventStore, PartitionHead } from '@bursar/event-store';
import type { Msg } from '@nats-io/transport-node';
import { noticeOf, readNotice } from '../append-notice.js';
import type { Counters } from '../counters.js';
import type { Logger } from '../logger.js';
import type { Connection } from '../nats/connection.js';
import { isWake, readRange } from '../range-message.js';
import { type BufferedRange, ownRange, receivedRange } from './buffered-range.js';
import type { ByteBudget } from './range-buffer.js';
import { Subscriptions } from './subscriptions.js';

/** What a consumer hears about its partition: ranges, or only that there are some. Must not throw. */
export type Member = Readonly<{
  /** The store's head, or what a message claims it is. */
  head(position: number): void;
}> &
  (
    | Readonly<{ offer(range: BufferedRange): void }>
    | Readonly<{
        appended(notice: AppendNotice): void;
        /** Somebody waits for what there is. */
        look(): void;
      }>
  );

type Joined = Readonly<{ member: Member; pollMs: number }>;

/** What all consumers of a process together may hold in ranges that wait. */
const BUFFER_BYTES = 24 * 1024 * 1024;

/**
 * One for all consumers of a process: one subscription per partition and kind of message that somebody takes, and one query for all heads
 * per poll, so sixteen idle partitions cost one query. Core subscriptions: a message missed is a gap, and gaps are read from the store.
 */
export class LedgerHub {
  readonly buffers: ByteBudget = { used: 0, limit: BUFFER_BYTES };
  readonly #members = new Map<number, Set<Joined>>();
  readonly #subscriptions: Subscriptions;
  readonly #headListeners = new Set<(heads: readonly PartitionHead[]) => void>();
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
    this.#subscriptions = new Subscriptions(connection, logger);
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
      this.#leave(partition, members);
    };
  }

  /** Should a subscription be there in name alone. */
  resubscribe(partition: number): void {
    this.#subscriptions.renew(partition);
  }

  /** Hears every poll of the heads, while somebody consumes. */
  onHeads(listener: (heads: readonly PartitionHead[]) => void): () => void {
    this.#headListeners.add(listener);
    return () => this.#headListeners.delete(listener);
  }

  /** What this process appended itself: its consumers take it from memory, however the bus fares. */
  appended(range: AppendedRange): void {
    const joined = [...(this.#members.get(range.partition) ?? [])];
    if (joined.some(({ member }) => 'offer' in member)) this.#offer(range.partition, ownRange(range));
    if (joined.some(({ member }) => 'appended' in member)) this.#tell(range.partition, noticeOf(range));
  }

  /** Whoever follows the partition here by looking is to look now: somebody waits for what there is. */
  look(partition: number): void {
    for (const { member } of this.#members.get(partition) ?? []) if ('look' in member) member.look();
  }

  #leave(partition: number, members: ReadonlySet<Joined>): void {
    if (members.size === 0) this.#members.delete(partition);
    this.#subscribe(partition);
    if (this.#members.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** To what its members take, and no more. */
  #subscribe(partition: number): void {
    const members = [...(this.#members.get(partition) ?? [])];
    const takes = (what: 'offer' | 'appended'): boolean => members.some(({ member }) => what in member);
    this.#subscriptions.set(partition, {
      ...(takes('offer') && { [ledgerSubject(partition)]: (message: Msg) => this.receive(partition, message) }),
      ...(takes('appended') && { [appendedSubject(partition)]: (message: Msg) => this.receiveNotice(partition, message) }),
    });
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

  /** As {@link receive}. */
  receiveNotice(partition: number, message: Pick<Msg, 'data'>): void {
    this.counters.noticesReceived += 1;
    const notice = readNotice(message);
    if (notice === null) this.counters.messagesMalformed += 1;
    else this.#tell(partition, notice);
  }

  #offer(partition: number, range: BufferedRange): void {
    for (const { member } of this.#members.get(partition) ?? []) if ('offer' in member) member.offer(range);
  }

  #tell(partition: number, notice: AppendNotice): void {
    for (const { member } of this.#members.get(partition) ?? []) if ('appended' in member) member.appended(notice);
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
