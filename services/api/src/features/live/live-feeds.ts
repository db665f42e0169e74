import type { Writable } from 'node:stream';
import { partitionOf } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import type { Kysely } from 'kysely';
import { progressOf } from '../../adapters/sql/changes.js';
import type { StreamCursor } from '../../domain/stream-cursor.js';
import { type Interest, Subscriber } from './subscriber.js';
import { TenantFeed } from './tenant-feed.js';

/** G6: figures move within a second of the usage. One small query looks, however many listen, and none while nobody does. */
const LOOK_EVERY_MS = 200;
const BEAT_EVERY_MS = 15_000;
const MAX_SUBSCRIBERS = 1_000;

export type LiveEvents = Readonly<{
  /** The tables could not be read; whoever listens hears it later. */
  trouble: (error: unknown) => void;
}>;

/** The live streams of this process, by tenant. It needs the tables alone: no bus, no memory of who was here. */
export class LiveFeeds {
  readonly #feeds = new Map<string, TenantFeed>();
  #looking: NodeJS.Timeout | null = null;
  #isLooking = false;
  #beating: NodeJS.Timeout | null = null;

  constructor(
    private readonly db: Kysely<Database>,
    private readonly partitions: number,
    private readonly events: LiveEvents,
  ) {}

  get subscribers(): number {
    return [...this.#feeds.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Sends what happens to the tenant to `out`, until it is closed: from now on, or from where a stream ended before. Throws 400 for a
   * place in another tenant's partition, 503 when too many listen.
   */
  async subscribe(
    tenant: string,
    interest: Interest,
    from: StreamCursor | null,
    out: Writable,
    opening: (cursor: StreamCursor) => void,
  ): Promise<void> {
    const partition = partitionOf(tenant, this.partitions);
    if (from !== null && from.partition !== partition) throw new Problem('position_format', 'Last-Event-ID is of another stream.');
    if (this.subscribers >= MAX_SUBSCRIBERS) throw new Problem('overloaded', 'Too many streams are open at this process.');
    const feed = this.#feeds.get(tenant) ?? new TenantFeed(this.db, tenant, partition);
    this.#feeds.set(tenant, feed);
    const subscriber = new Subscriber(out, interest);
    out.once('close', () => this.#leave(feed, subscriber));
    try {
      await feed.join(subscriber, from, opening);
    } catch (error) {
      this.#leave(feed, subscriber);
      throw error;
    }
    if (out.destroyed) this.#leave(feed, subscriber);
    this.#looking ??= setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
    this.#beating ??= setInterval(() => this.#beat(), BEAT_EVERY_MS).unref();
  }

  /** Every stream ends; their clients come back, here or elsewhere, with the place they had. */
  close(): void {
    if (this.#looking !== null) clearInterval(this.#looking);
    if (this.#beating !== null) clearInterval(this.#beating);
    for (const feed of this.#feeds.values()) feed.end();
  }

  #leave(feed: TenantFeed, subscriber: Subscriber): void {
    feed.leave(subscriber);
    // Another may have come for the tenant since this one was given up.
    if (feed.isIdle && this.#feeds.get(feed.tenant) === feed) this.#feeds.delete(feed.tenant);
  }

  #beat(): void {
    for (const feed of this.#feeds.values()) feed.beat();
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#feeds.size === 0) return;
    this.#isLooking = true;
    try {
      const feeds = [...this.#feeds.values()];
      const progress = await progressOf(this.db, [...new Set(feeds.map(({ partition }) => partition))]);
      await Promise.all(feeds.map((feed) => feed.advance(progress.get(feed.partition) ?? { balances: 0, alerts: 0 })));
    } catch (error) {
      this.events.trouble(error);
    } finally {
      this.#isLooking = false;
    }
  }
}
