import { type StoredEvent, StoreUnavailableError } from './port.js';

type Source = Readonly<{
  read: (after: number, limit: number) => Promise<readonly StoredEvent[]>;
  /** Told when the store did not answer; the subscription tries again after the pause. */
  warn: (message: string, error: unknown) => void;
}>;

/** Follows one partition: reads while there is something, then waits for a wake-up or the poll interval. */
export class Subscription {
  private woken = false;
  private stopWaiting: (() => void) | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: Readonly<{ after: number; batch: number; pollMs: number; signal: AbortSignal }>,
    private readonly handler: (events: readonly StoredEvent[]) => Promise<void>,
  ) {}

  /** A wake-up while reading is kept for the next pause: nothing is missed in between. */
  wake(): void {
    this.woken = true;
    this.stopWaiting?.();
  }

  async run(): Promise<void> {
    const { batch, signal } = this.options;
    let { after } = this.options;
    while (!signal.aborted) {
      this.woken = false;
      const events = await this.read(after, batch);
      const last = events.at(-1);
      if (last === undefined) {
        await this.pause();
      } else if (!signal.aborted) {
        await this.handler(events);
        after = last.position;
      }
    }
  }

  private async read(after: number, limit: number): Promise<readonly StoredEvent[]> {
    try {
      return await this.source.read(after, limit);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.source.warn('a subscription could not read and tries again', error);
      this.woken = false;
      return [];
    }
  }

  private pause(): Promise<void> {
    const { pollMs, signal } = this.options;
    if (this.woken || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.stopWaiting = undefined;
        resolve();
      };
      const timer = setTimeout(done, pollMs);
      signal.addEventListener('abort', done);
      this.stopWaiting = done;
    });
  }
}
