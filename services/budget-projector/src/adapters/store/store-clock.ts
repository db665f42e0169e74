import { type EpochNs, NS_PER_MS } from '@bursar/contracts';
import type { EventStore } from '@bursar/event-store';
import { DecisionClock } from '../../features/check.js';

/** ARCHITECTURE, Time: each process keeps an offset to the database's clock over its monotonic one. */
const SAMPLE_EVERY_MS = 5_000;

/** The database's clock, between two questions to it by this process's monotonic one. */
export class StoreClock extends DecisionClock {
  #offsetMs = performance.timeOrigin;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: Pick<EventStore, 'clock'>,
    private readonly trouble: (error: unknown) => void,
  ) {
    super();
  }

  async start(): Promise<void> {
    await this.#sample();
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  now(): EpochNs {
    return BigInt(Math.floor(performance.now() + this.#offsetMs)) * NS_PER_MS;
  }

  async #sample(): Promise<void> {
    const before = performance.now();
    try {
      const clock = await this.store.clock();
      this.#offsetMs = clock - (before + performance.now()) / 2;
    } catch (error) {
      this.trouble(error);
    }
  }
}
