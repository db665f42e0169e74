import { setMaxListeners } from 'node:events';
import { EVENT_DEFINITIONS } from '@bursar/contracts';
import type { AppendNotice } from '@bursar/contracts/bus';
import type { PassedOver, Selection, StoredEvent } from '@bursar/event-store';
import { askStore } from './ask-store.js';
import type { LedgerHub } from './hub.js';
import type { Batch, ConsumeOptions } from './options.js';
import { Wake } from './wake.js';

/** Between two looks that nobody waits for: so late a checkpoint may pass what is of no use, where nothing else is going on. */
const LOOK_MS = 200;
/** News comes from the hub, by a notice or by its poll of the heads, so this only bounds how long a lost wake-up could matter. */
const IDLE_MS = 60_000;
/** Events of one look at the store. */
const READ_EVENTS = 2_000;

/** All that this release knows and a consumer does not want. What it does not know is never passed over (RELIABILITY F46). */
export const passedOverBy = (wants: (type: string) => boolean): PassedOver =>
  new Map([...EVENT_DEFINITIONS.values()].filter(({ type }) => !wants(type)).map(({ type, version }) => [type, version]));

/**
 * Follows one partition for who has a use for few of its events. Takes none from the bus, and asks the store for those alone: the bus
 * only says when to look, at once where there is something wanted, now and then where there is not. Neither is believed: what a notice
 * conceals is found by the next look, and what it makes up costs one.
 */
export class SelectingReader {
  readonly #hub: LedgerHub;
  readonly #wake = new Wake();
  readonly #leave: () => void;
  #position: number;
  /** The highest position anyone claims to exist. */
  #claimed: number;
  /** A claim came since the last look began. */
  #isNews = false;
  /** Somebody waits for what there is. */
  #isUrgent = true;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #urgentAt = Number.NEGATIVE_INFINITY;
  /** What was answered last is not done with until the next is asked for. */
  #isHandedOver = false;
  /** The next look, begun while the handler works on the last one: there is more than one look holds. */
  #ahead: Promise<Selection> | null = null;

  constructor(
    private readonly options: ConsumeOptions,
    private readonly passedOver: PassedOver,
    /** Called when the store has answered, be it with an error. */
    private readonly alive: () => void,
  ) {
    const { bus, store, partition, after, pollMs } = options;
    // Every partition of a process may wait on the same signal, which is no leak of listeners.
    setMaxListeners(0, options.signal);
    this.#hub = bus.hubOf(store);
    this.#position = after;
    // What happened before we joined is unknown, so look once.
    this.#claimed = after + 1;
    this.#leave = this.#hub.join(partition, pollMs, {
      appended: ({ last, types }: AppendNotice) => this.#claim(last, !types.every((type) => this.passedOver.has(type))),
      head: (position) => this.#claim(position, true),
      look: () => this.#hurry(),
    });
  }

  /** What follows, after a wait if need be: without events where all was passed over; null when there is nothing to hand over yet. */
  async next(): Promise<Batch<StoredEvent> | null> {
    this.#isHandedOver = false;
    const batch = await this.#next();
    this.alive();
    this.#isHandedOver = batch !== null;
    return batch;
  }

  /** Events are known, or claimed, that no handler is done with. */
  get isBehind(): boolean {
    return this.#isHandedOver || this.#claimed > this.#position;
  }

  /** As if it had only begun: whatever it waits for may never come. */
  revive(): void {
    this.#hub.resubscribe(this.options.partition);
    this.#hurry();
  }

  close(): void {
    this.#leave();
  }

  async #next(): Promise<Batch<StoredEvent> | null> {
    const wait = this.#ahead === null ? this.#waitMs(performance.now()) : 0;
    if (wait > 0) {
      await this.#wake.wait(wait, this.options.signal);
      return null;
    }
    const { events, through, head } = await (this.#ahead ?? this.#look());
    this.#ahead = null;
    const passed = through - this.#position - events.length;
    this.#position = Math.max(this.#position, through);
    const { counters } = this.options.bus;
    counters.eventsFromStore += events.length;
    counters.eventsPassedOver += Math.max(0, passed);
    if (through < head) this.#ahead = this.#look();
    // The store ends here, so whoever claimed more made it up.
    else if (!this.#isNews) this.#claimed = this.#position;
    return events.length + passed > 0 ? { events, last: this.#position } : null;
  }

  /** Until the next look. Those that somebody waits for are as far apart as the consumer gathers. */
  #waitMs(now: number): number {
    if (this.#isUrgent) return this.#urgentAt + (this.options.gatherMs ?? 0) - now;
    return this.#claimed > this.#position ? this.#lookedAt + LOOK_MS - now : IDLE_MS;
  }

  #look(): Promise<Selection> {
    const { bus, store, partition } = this.options;
    const after = this.#position;
    this.#lookedAt = performance.now();
    if (this.#isUrgent) this.#urgentAt = this.#lookedAt;
    this.#isUrgent = false;
    this.#isNews = false;
    bus.counters.storeReads += 1;
    const nothing: Selection = { events: [], through: after, head: after };
    return askStore(this.options, this.alive, () => store.selectPartition(partition, after, this.passedOver, READ_EVENTS), nothing);
  }

  #claim(position: number, isUrgent: boolean): void {
    if (position <= this.#position) return;
    const isNew = this.#claimed <= this.#position;
    this.#claimed = Math.max(this.#claimed, position);
    this.#isNews = true;
    if (isUrgent) this.#hurry();
    else if (isNew) this.#wake.fire();
  }

  #hurry(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    this.#wake.fire();
  }
}
