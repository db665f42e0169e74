import { setMaxListeners } from 'node:events';
import { GENESIS, type StoredEvent } from '@bursar/event-store';
import { askStore } from './ask-store.js';
import type { BufferedRange } from './buffered-range.js';
import type { LedgerHub } from './hub.js';
import type { Batch, ConsumeOptions } from './options.js';
import { RangeBuffer } from './range-buffer.js';
import { verifyRanges } from './verify.js';
import { Wake } from './wake.js';

const BUFFER_BYTES = 8 * 1024 * 1024;
/** News comes from the hub, by the bus or by its poll of the heads, so this only bounds how long a lost wake-up could matter. */
const IDLE_MS = 60_000;
/** How long a range that must be on its way may take before the store is asked instead: what nobody waits for is held back for 100 ms. */
const GRACE_MS = 125;
/** Rows of one read of the store: large enough for its speed, small enough for sixteen partitions at once in memory. */
const READ_EVENTS = 2_000;

/** A page of the store ends at some 4 MB; text of one million UTF-16 units may be as much. */
const FULL_PAGE_UNITS = 1_000_000;

const NOTHING: readonly StoredEvent[] = [];

/** Follows one partition: answers what comes next, from the bus if it is there and the store confirms it, else from the store. */
export class PartitionReader {
  readonly #hub: LedgerHub;
  readonly #buffer: RangeBuffer;
  readonly #wake = new Wake();
  readonly #leave: () => void;
  #position: number;
  /** The chain's link at `#position`; null when not known. */
  #link: Uint8Array | null;
  /** The highest position anyone claims to exist. A false claim costs one read of the store. */
  #claimed: number;
  /** Counts claims, to know whether one came during a read. */
  #claims = 0;
  /** The position whose successor was already waited for, or must not be. */
  #waitedAt: number;
  /** What was answered last is not done with until the next is asked for. */
  #isHandedOver = false;
  /** The next read, begun while the handler works on the last one. */
  #ahead: Promise<readonly StoredEvent[]> | null = null;

  constructor(
    private readonly options: ConsumeOptions,
    /** Called when the store has answered, be it with an error. */
    private readonly alive: () => void = () => undefined,
  ) {
    const { bus, store, partition, after, pollMs } = options;
    // Every partition of a process may wait on the same signal, which is no leak of listeners.
    setMaxListeners(0, options.signal);
    this.#hub = bus.hubOf(store);
    this.#position = after;
    this.#link = after === 0 ? GENESIS : null;
    // What happened before we joined is unknown, so look once.
    this.#claimed = after + 1;
    this.#waitedAt = after;
    this.#buffer = new RangeBuffer(BUFFER_BYTES, this.#hub.buffers);
    this.#leave = this.#hub.join(partition, pollMs, {
      offer: (range) => this.#offer(range),
      head: (position) => this.#claim(position),
    });
  }

  /** The next events in order, after a wait if need be; null when there is nothing to hand over yet. */
  async next(): Promise<Batch<StoredEvent> | null> {
    this.#isHandedOver = false;
    const events = await this.#next();
    this.alive();
    const last = events.at(-1);
    this.#isHandedOver = last !== undefined;
    return last === undefined ? null : { events, last: last.position };
  }

  async #next(): Promise<readonly StoredEvent[]> {
    const { signal, maxEvents } = this.options;
    if (this.#ahead === null) {
      const taken = this.#buffer.take(this.#position, maxEvents);
      if (taken.length > 0) return await this.#confirm(taken);
    }
    // What comes next was in a range that began before here, and went with it: nobody sends it again, so it is not waited for.
    if (this.#buffer.prune(this.#position)) this.#waitedAt = this.#position;
    if (this.#claimed <= this.#position) {
      await this.#wake.wait(IDLE_MS, signal);
      return NOTHING;
    }
    if (this.#ahead === null && this.#hub.connected && this.#waitedAt !== this.#position) {
      await this.#grace();
      return NOTHING;
    }
    return await this.#fromStore();
  }

  /** Events are known, or claimed, that no handler is done with. */
  get isBehind(): boolean {
    return this.#isHandedOver || this.#claimed > this.#position;
  }

  /** As if it had only begun: whatever it waits for may never come. */
  revive(): void {
    this.#hub.resubscribe(this.options.partition);
    this.#claim(this.#position + 1);
  }

  close(): void {
    this.#leave();
    this.#buffer.clear();
  }

  #offer(range: BufferedRange): void {
    if (range.last <= this.#position) return;
    if (!this.#buffer.offer(range, performance.now())) this.options.bus.counters.rangesOverflowed += 1;
    this.#claim(range.last);
  }

  #claim(position: number): void {
    if (position <= this.#position) return;
    this.#claimed = Math.max(this.#claimed, position);
    this.#claims += 1;
    this.#wake.fire();
  }

  /** Messages of two publishers overtake each other, and a poll sees a head before its message comes: wait a little, once, from when it was known that something is missing. */
  async #grace(): Promise<void> {
    const now = performance.now();
    const deadline = Math.min(now, this.#buffer.knownSince(this.#position)) + GRACE_MS;
    for (let left = deadline - now; left > 0 && !this.#buffer.has(this.#position + 1); left = deadline - performance.now()) {
      await this.#wake.wait(left, this.options.signal);
      if (this.options.signal.aborted) break;
    }
    this.#waitedAt = this.#position;
  }

  async #confirm(taken: readonly BufferedRange[]): Promise<readonly StoredEvent[]> {
    const { bus, store, partition } = this.options;
    const linkAt = (position: number) => this.#ask(() => store.linkAt(partition, position), null);
    this.#link ??= await linkAt(this.#position);
    // Without a link we stopped within an append, which the bus cannot continue: its rest comes from the store.
    const verified = this.#link === null ? null : await verifyRanges(taken, this.#link, linkAt);
    if (verified !== null) {
      bus.counters.eventsFromBus += verified.events.length;
      return this.#advance(verified.events, verified.link);
    }
    // Told to stop while asking the store: nothing is known of the range.
    if (this.options.signal.aborted) return NOTHING;
    if (this.#link !== null) {
      bus.counters.rangesForged += taken.length;
      bus.logger.error({ partition, after: this.#position }, 'a range on the bus is not what the store holds; the store is read instead');
      this.#buffer.clear();
    }
    this.#waitedAt = this.#position;
    return NOTHING;
  }

  async #fromStore(): Promise<readonly StoredEvent[]> {
    const { counters } = this.options.bus;
    const claims = this.#claims;
    const events = await (this.#ahead ?? this.#read());
    this.#ahead = null;
    if (events.length > 0) {
      counters.eventsFromStore += events.length;
      this.#advance(events, null);
      if (isFullPage(events)) this.#claimed = Math.max(this.#claimed, this.#position + 1);
      if (this.#claimed > this.#position && !this.#buffer.has(this.#position + 1)) this.#ahead = this.#read();
      else this.#waitedAt = -1;
    } else if (claims === this.#claims) {
      // The store ends here, so whoever claimed more made it up.
      this.#claimed = this.#position;
      counters.rangesForged += this.#buffer.clear();
    }
    return events;
  }

  /** Up to the next buffered range, so that what came by the bus is not read again. */
  #read(): Promise<readonly StoredEvent[]> {
    const { bus, store, partition } = this.options;
    const after = this.#position;
    const missing = this.#buffer.firstAfter(after) - 1 - after;
    bus.counters.storeReads += 1;
    if (Number.isFinite(missing)) bus.counters.gapsRead += 1;
    return this.#ask(() => store.readPartition(partition, after, Math.max(1, Math.min(missing, READ_EVENTS))), NOTHING);
  }

  #advance(events: readonly StoredEvent[], link: Uint8Array | null): readonly StoredEvent[] {
    this.#link = link;
    this.#position = events.at(-1)?.position ?? this.#position;
    return events;
  }

  #ask<T>(question: () => Promise<T>, aborted: T): Promise<T> {
    return askStore(this.options, this.alive, question, aborted);
  }
}

/** Whether more may follow that nobody has told of. */
const isFullPage = (events: readonly StoredEvent[]): boolean =>
  events.length >= READ_EVENTS || events.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0) >= FULL_PAGE_UNITS;
