import type pg from 'pg';
import { checkRequest } from '../check-request.js';
import { GroupCommit } from '../group-commit.js';
import {
  type AppendedRange,
  type AppendRequest,
  type AppendResult,
  EventStore,
  type KnownEvent,
  type PartitionHead,
  type PassedOver,
  type Selection,
  type StoredEvent,
} from '../port.js';
import { Subscription } from '../subscription.js';
import { install } from './install.js';
import { type EventStoreOptions, type StoreSettings, settingsOf } from './options.js';
import { createPool } from './pools.js';
import { type Query, queryOn } from './query.js';
import { Reader } from './reader.js';
import { type ChainBreak, verifyChain } from './verify-chain.js';
import { Writer } from './writer.js';

/**
 * Opens the event store in a PostgreSQL database, creating or migrating its schema `store`. Throws `StoreRefusedError` when the
 * server's settings are unsafe or it was installed with another number of partitions, `StoreUnavailableError` when it cannot be reached.
 */
export const createEventStore = async (url: string, options: EventStoreOptions): Promise<EventStore> => {
  const settings = settingsOf(options);
  await install(url, settings.partitions);
  return new PostgresEventStore(createPool(url, settings.writers, settings), createPool(url, settings.readers, settings), settings);
};

class PostgresEventStore extends EventStore {
  readonly partitions: number;
  private readonly groups: GroupCommit;
  private readonly query: Query;
  private readonly reader: Reader;
  private closing: Promise<void> | undefined;
  private readonly listeners: ((range: AppendedRange) => void)[] = [];
  private readonly subscriptions = new Map<number, Set<Subscription>>();

  constructor(
    private readonly writers: pg.Pool,
    private readonly readers: pg.Pool,
    private readonly settings: StoreSettings,
  ) {
    super();
    this.partitions = settings.partitions;
    this.query = queryOn(readers);
    this.reader = new Reader(this.query);
    const writer = new Writer(writers, settings, (range, partition) => this.announce(range, partition));
    this.groups = new GroupCommit(settings, (partition, requests) => writer.commit(partition, requests));
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    checkRequest(request, this.partitions);
    return this.groups.submit(request);
  }

  readStream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.reader.stream(stream, fromRevision, limit);
  }

  readStreamBackwards(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.reader.streamBackwards(stream, fromRevision, limit);
  }

  revisions(streams: readonly string[]): Promise<readonly number[]> {
    return this.reader.revisions(streams);
  }

  readPartition(partition: number, after: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.reader.partition(partition, after, limit);
  }

  readAt(partition: number, positions: readonly number[], containing?: readonly string[]): Promise<readonly StoredEvent[]> {
    return this.reader.at(partition, positions, containing);
  }

  selectPartition(partition: number, after: number, passedOver: PassedOver, limit: number): Promise<Selection> {
    return this.reader.select(partition, after, passedOver, limit);
  }

  lookup(partition: number, ids: readonly string[]): Promise<ReadonlyMap<string, KnownEvent>> {
    return this.reader.lookup(partition, ids);
  }

  recordedTimes(partition: number, positions: readonly number[]): Promise<readonly (string | null)[]> {
    return this.reader.recordedTimes(partition, positions);
  }

  heads(): Promise<readonly PartitionHead[]> {
    return this.reader.heads();
  }

  appendEnds(partition: number, after: number, through: number): Promise<readonly number[]> {
    return this.reader.appendEnds(partition, after, through);
  }

  settledHead(partition: number): Promise<number> {
    return this.reader.settledHead(partition);
  }

  linkAt(partition: number, position: number): Promise<Uint8Array | null> {
    return this.reader.linkAt(partition, position);
  }

  async subscribe(
    options: Readonly<{ partition: number; after: number; batch: number; pollMs: number; signal: AbortSignal }>,
    handler: (events: readonly StoredEvent[]) => Promise<void>,
  ): Promise<void> {
    const { partition } = options;
    const read = (after: number, limit: number) => this.readPartition(partition, after, limit);
    const subscription = new Subscription({ read, warn: this.settings.warn }, options, handler);
    const peers = this.subscriptions.get(partition) ?? new Set();
    this.subscriptions.set(partition, peers.add(subscription));
    try {
      await subscription.run();
    } finally {
      peers.delete(subscription);
    }
  }

  wake(partition: number): void {
    for (const subscription of this.subscriptions.get(partition) ?? []) subscription.wake();
  }

  onAppended(listener: (range: AppendedRange) => void): void {
    this.listeners.push(listener);
  }

  verify(partition: number): Promise<ChainBreak | null> {
    return verifyChain(this.reader, this.query, partition);
  }

  clock(): Promise<number> {
    return this.reader.clockMs();
  }

  close(): Promise<void> {
    this.closing ??= this.groups.close().then(async () => {
      await Promise.all([this.writers.end(), this.readers.end()]);
    });
    return this.closing;
  }

  private announce(range: () => AppendedRange, partition: number): void {
    const subscriptions = this.subscriptions.get(partition);
    const isFollowed = subscriptions !== undefined && subscriptions.size > 0;
    if (!isFollowed && this.listeners.length === 0) return;
    const made = range();
    for (const subscription of subscriptions ?? []) subscription.offer(made);
    for (const listener of this.listeners) listener(made);
  }
}
