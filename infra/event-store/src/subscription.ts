import { type AppendedRange, type StoredEvent, StoreUnavailableError } from './port.js';

type Source = Readonly<{
  read: (after: number, limit: number) => Promise<readonly StoredEvent[]>;
  /** Told when the store did not answer; the subscription tries again after the pause. */
  warn: (message: string, error: unknown) => void;
}>;

/** What this process appended and the handler has not come to; what is more is read from the store. */
const MOST_OFFERED = 64;

/**
 * Follows one partition: takes what this process appended itself from memory where it comes next. Reads where the store may have something else: at
 * first, after a page, after a wake-up or the poll interval, and where something is missing before what was appended here.
 */
export class Subscription {
  private readonly offered = new Map<number, AppendedRange>();
  /** The store may have what is not offered. */
  private mayLack = true;
  private stopWaiting: (() => void) | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: Readonly<{ after: number; batch: number; pollMs: number; signal: AbortSignal }>,
    private readonly handler: (events: readonly StoredEvent[]) => Promise<void>,
  ) {}

  /** A wake-up while reading is kept for the next pause: nothing is missed in between. */
  wake(): void {
    this.mayLack = true;
    this.stopWaiting?.();
  }

  /** A range that is in the store. */
  offer(range: AppendedRange): void {
    if (this.offered.size < MOST_OFFERED) this.offered.set(range.first, range);
    else this.mayLack = true;
    this.stopWaiting?.();
  }

  async run(): Promise<void> {
    const { batch, signal } = this.options;
    let { after } = this.options;
    while (!signal.aborted) {
      const events = this.takeOffered(after) ?? (this.mayLack ? await this.read(after, batch) : []);
      const last = events.at(-1);
      if (last === undefined) {
        await this.pause();
      } else if (!signal.aborted) {
        await this.handler(events);
        after = last.position;
      }
    }
  }

  /** null: what comes next, if anything does, is to be read. */
  private takeOffered(after: number): readonly StoredEvent[] | null {
    const next = this.offered.get(after + 1);
    for (const [first, { last }] of this.offered) if (last <= after || first === after + 1) this.offered.delete(first);
    if (next !== undefined && next.events.length <= this.options.batch) return next.events;
    if (next !== undefined || this.offered.size > 0) this.mayLack = true;
    return null;
  }

  private async read(after: number, limit: number): Promise<readonly StoredEvent[]> {
    this.mayLack = false;
    try {
      const events = await this.source.read(after, limit);
      if (events.length > 0) this.mayLack = true;
      return events;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.source.warn('a subscription could not read and tries again', error);
      this.mayLack = false;
      return [];
    }
  }

  private pause(): Promise<void> {
    const { pollMs, signal } = this.options;
    if (this.mayLack || this.offered.size > 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.stopWaiting = undefined;
        resolve();
      };
      const timer = setTimeout(() => this.wake(), pollMs);
      signal.addEventListener('abort', done);
      this.stopWaiting = done;
    });
  }
}
