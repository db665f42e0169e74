import { HEADER, LEDGER_STREAM } from '@bursar/contracts/bus';
import type { EventStore, PartitionHead } from '@bursar/event-store';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Bus } from '../bus.js';
import { Coverage } from './coverage.js';
import { heal } from './heal.js';

/** The newest positions of a partition that are published again; consumers that lack older ones read the store anyhow. */
const MAX_HEAL_EVENTS = 10_000;
const API_TIMEOUT_MS = 3_000;
const LEDGER_PREFIX = 'ledger.';

/**
 * Compares what `ledger.*` has carried with the store's heads at every poll, and publishes what stayed uncovered from one poll to
 * the next: ranges whose publisher died, or had no connection, between commit and publish (RELIABILITY F10).
 */
export class LedgerWatch {
  readonly #coverage = new Coverage();
  readonly #previous = new Map<number, number>();
  /** How far each partition was covered at the previous poll, and at the last one that proved it. */
  readonly #covered = new Map<number, number>();
  readonly #proven = new Map<number, number>();
  readonly #healing = new Set<number>();
  /** Partitions of which it is not known yet how far they were covered before we watched. */
  readonly #beginning = new Set<number>();
  readonly #watched = new Set<number>();
  #starting: Promise<void> | null = null;

  constructor(
    private readonly bus: Bus,
    private readonly store: EventStore,
  ) {}

  /** Watches a partition from here on. */
  begin(partition: number): void {
    this.#beginning.add(partition);
  }

  /** Leaves it to whoever watches it next. */
  end(partition: number): void {
    this.#beginning.delete(partition);
    this.#watched.delete(partition);
    this.#coverage.forget(partition);
    for (const positions of [this.#previous, this.#covered, this.#proven]) positions.delete(partition);
  }

  /** A range went over the bus. */
  covered(partition: number, first: number, last: number): void {
    this.#coverage.cover(partition, first, last);
  }

  heads(heads: readonly PartitionHead[]): void {
    if (!this.bus.connected) return;
    if (this.#beginning.size > 0)
      this.#starting ??= this.#start(heads).finally(() => {
        this.#starting = null;
      });
    for (const { partition, position } of heads) {
      if (!this.#watched.has(partition)) continue;
      const through = Math.min(position, this.#previous.get(partition) ?? 0);
      this.#previous.set(partition, position);
      this.#distrust(partition, position);
      if (through > 0) void this.#heal(partition, through);
    }
  }

  /**
   * Whoever may publish on `ledger.*` may claim positions that the store does not have: then the partition would count as covered for
   * ever. What was covered at the previous poll was committed before this one's heads were read.
   */
  #distrust(partition: number, head: number): void {
    const covered = this.#covered.get(partition) ?? 0;
    if (covered <= head) this.#proven.set(partition, covered);
    else {
      this.#coverage.restart(partition, this.#proven.get(partition) ?? 0);
      this.bus.counters.rangesForged += 1;
      this.bus.logger.error({ partition, covered, head }, 'a range on the bus is beyond what the store holds; it covers nothing');
    }
    this.#covered.set(partition, this.#coverage.through(partition));
  }

  /** Where the stream ended before we watched; an empty or unreadable one counts as covered but for the newest. */
  async #start(heads: readonly PartitionHead[]): Promise<void> {
    try {
      const last = await this.#lastOnLedger();
      for (const { partition, position } of heads) {
        if (!this.#beginning.delete(partition)) continue;
        this.#coverage.start(partition, Math.min(last.get(partition) ?? 0, position));
        this.#watched.add(partition);
      }
    } catch (error) {
      this.bus.logger.warn({ error: String(error) }, 'the ledger stream cannot be read; the relay asks again');
    }
  }

  async #lastOnLedger(): Promise<ReadonlyMap<number, number>> {
    const last = new Map<number, number>();
    const nc = this.bus.connection;
    if (nc === null) throw new Error('not connected');
    const manager = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
    const { state } = await manager.streams.info(LEDGER_STREAM);
    if (state.messages === 0) return last;
    for await (const message of await manager.direct.getLastMessagesFor(LEDGER_STREAM, { multi_last: [`${LEDGER_PREFIX}*`] })) {
      const position = Number(message.header?.get(HEADER.lastPosition));
      if (Number.isSafeInteger(position)) last.set(Number(message.subject.slice(LEDGER_PREFIX.length)), position);
    }
    return last;
  }

  async #heal(partition: number, through: number): Promise<void> {
    if (this.#healing.has(partition)) return;
    this.#healing.add(partition);
    try {
      this.#coverage.start(partition, through - MAX_HEAL_EVENTS);
      for (let hole = this.#coverage.hole(partition, through); hole !== null; hole = this.#coverage.hole(partition, through)) {
        if (!(await heal(this.bus, this.store, partition, hole)) || !this.#watched.has(partition)) return;
        this.#coverage.start(partition, hole.through);
      }
    } catch (error) {
      this.bus.counters.storeReadFailures += 1;
      this.bus.logger.warn({ error: String(error), partition }, 'the relay could not publish what is missing; it tries again');
    } finally {
      this.#healing.delete(partition);
    }
  }
}
