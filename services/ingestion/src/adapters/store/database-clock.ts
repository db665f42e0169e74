import { type EpochNs, NS_PER_MS } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Logger } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { LedgerClock } from '../../features/ports.js';

/** ARCHITECTURE, Time: each process keeps an offset to the database's clock over its monotonic one. */
const SAMPLE_EVERY_MS = 5_000;

@Injectable()
export class DatabaseClock extends LedgerClock {
  private offsetMs: number | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: EventStore,
    private readonly logger: Logger,
  ) {
    super();
  }

  async start(): Promise<void> {
    await this.sample();
    this.timer = setInterval(() => void this.sample(), SAMPLE_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  now(): EpochNs {
    // Before the first sample this machine's clock is the best guess; readiness says no until then.
    const ms = performance.now() + (this.offsetMs ?? performance.timeOrigin);
    return BigInt(Math.floor(ms)) * NS_PER_MS;
  }

  private async sample(): Promise<void> {
    const before = performance.now();
    try {
      const clock = await this.store.clock();
      const after = performance.now();
      this.offsetMs = clock - (before + after) / 2;
    } catch (error) {
      this.logger.warn({ err: error }, 'the database clock could not be read');
    }
  }
}
