import {
  type AppendedRange,
  type AppendRequest,
  type AppendResult,
  EventStore,
  GENESIS,
  type KnownEvent,
  linkOfAppend,
  type PartitionHead,
  type PassedOver,
  type Selection,
  type StoredEvent,
} from '@bursar/event-store';

type Partition = { events: StoredEvent[]; links: Map<number, Uint8Array>; head: Uint8Array };

/** A tiny event store for tests of the bus alone: no duplicates, no expectations, no listeners but its ranges. */
export class MemoryEventStore extends EventStore {
  readonly #partitions = new Map<number, Partition>();
  readonly #listeners: ((range: AppendedRange) => void)[] = [];
  /** While set, every read fails with it. */
  failure: Error | null = null;
  reads = 0;
  selections = 0;
  /** So long a look's answer, once it is known, is on its way. */
  delayed: Promise<void> = Promise.resolve();
  /** Positions of one look. */
  span = 10_000;
  /** A page ends at so much data. */
  pageBytes = Number.POSITIVE_INFINITY;

  constructor(readonly partitions = 4) {
    super();
  }

  async append({ partition, stream, events }: AppendRequest): Promise<AppendResult> {
    const at = this.#at(partition);
    const first = at.events.length + 1;
    const recordedAt = `2025-01-15T10:00:00.${String(first % 1_000_000).padStart(6, '0')}Z`;
    const stored = events.map(({ id, type, version, data, meta, contentHash }, index): StoredEvent => {
      const place = { partition, position: first + index, stream, revision: first + index - 1 };
      return { ...place, id, type, version, data, meta, contentHash, recordedAt };
    });
    at.events.push(...stored);
    at.head = linkOfAppend(at.head, stored) ?? at.head;
    at.links.set(at.events.length, at.head);
    const range = { partition, first, last: at.events.length, link: at.head, events: stored };
    for (const listener of this.#listeners) listener(range);
    const outcomes = stored.map(({ position, revision }) => ({ status: 'accepted' as const, position, revision }));
    return { ok: true, outcomes, head: at.events.length, revision: at.events.length - 1 };
  }

  async readStream(): Promise<readonly StoredEvent[]> {
    throw new Error('not in this store');
  }

  async readStreamBackwards(): Promise<readonly StoredEvent[]> {
    throw new Error('not in this store');
  }

  async revisions(): Promise<readonly number[]> {
    throw new Error('not in this store');
  }

  async readPartition(partition: number, after: number, limit: number): Promise<readonly StoredEvent[]> {
    this.reads += 1;
    if (this.failure !== null) throw this.failure;
    const page = this.#at(partition).events.slice(after, after + limit);
    let bytes = 0;
    const end = page.findIndex(({ data }, index) => {
      bytes += data.length;
      return index > 0 && bytes > this.pageBytes;
    });
    return end < 0 ? page : page.slice(0, end);
  }

  async selectPartition(partition: number, after: number, passedOver: PassedOver, limit: number): Promise<Selection> {
    this.selections += 1;
    if (this.failure !== null) throw this.failure;
    const head = this.#at(partition).events.length;
    const span = this.#at(partition).events.slice(after, after + this.span);
    const found = span.filter(({ type, version }) => version > (passedOver.get(type) ?? 0));
    const events = found.slice(0, limit);
    await this.delayed;
    const through = events.length === limit ? events.at(-1)?.position : undefined;
    return { events, through: through ?? Math.max(after, Math.min(head, after + this.span)), head };
  }

  async lookup(): Promise<ReadonlyMap<string, KnownEvent>> {
    return new Map();
  }

  async readAt(): Promise<readonly StoredEvent[]> {
    throw new Error('not in this store');
  }

  async recordedTimes(): Promise<readonly (string | null)[]> {
    throw new Error('not in this store');
  }

  async heads(): Promise<readonly PartitionHead[]> {
    if (this.failure !== null) throw this.failure;
    return Array.from({ length: this.partitions }, (_, partition) => {
      const { events, head } = this.#at(partition);
      return { partition, position: events.length, link: head, recordedAt: events.at(-1)?.recordedAt ?? null };
    });
  }

  async settledHead(partition: number): Promise<number> {
    return this.#at(partition).events.length;
  }

  async linkAt(partition: number, position: number): Promise<Uint8Array | null> {
    if (this.failure !== null) throw this.failure;
    return this.#at(partition).links.get(position) ?? null;
  }

  async appendEnds(partition: number, after: number, through: number): Promise<readonly number[]> {
    if (this.failure !== null) throw this.failure;
    return [...this.#at(partition).links.keys()].filter((last) => last > after && last <= through).sort((a, b) => a - b);
  }

  async subscribe(): Promise<void> {
    throw new Error('not in this store');
  }

  wake(): void {}

  onAppended(listener: (range: AppendedRange) => void): void {
    this.#listeners.push(listener);
  }

  async verify(): Promise<null> {
    return null;
  }

  async clock(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}

  #at(partition: number): Partition {
    const found = this.#partitions.get(partition) ?? { events: [], links: new Map(), head: GENESIS };
    this.#partitions.set(partition, found);
    return found;
  }
}
