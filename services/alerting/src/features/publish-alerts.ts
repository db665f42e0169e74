import { setTimeout as delay } from 'node:timers/promises';
import { type AlertTopics, Effect, type Publications, type RecordedBatch } from './ports.js';

const PAGE = 500;
/** The table is looked at so often when nobody says that something is new. */
const IDLE_MS = 5_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/**
 * Publishes what is recorded on the alert topics: at least once, in the order of the ledger, under the alert's id. What is published is
 * noted with its place in the stream afterwards, so a process may die in between, and a stream that comes back without something gets it again.
 */
export class PublishAlerts extends Effect {
  readonly #wakes = new Map<number, () => void>();

  constructor(
    private readonly publications: Publications,
    private readonly topics: AlertTopics,
  ) {
    super();
  }

  /** What is to be published is in the table of alerts. */
  async apply(): Promise<void> {}

  override committed({ partition, alerts }: RecordedBatch): void {
    if (alerts.length > 0) this.#wakes.get(partition)?.();
  }

  /** For as long as this process has the partition. Rejects with what the database says. */
  async run(partition: number, signal: AbortSignal): Promise<void> {
    let wait = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
      this.#wakes.set(partition, wake);
      const outcome = await this.#publishPage(partition);
      if (outcome === 'more') continue;
      const pause = outcome === 'failed' ? wait : IDLE_MS;
      wait = outcome === 'failed' ? Math.min(wait * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
      await Promise.race([delay(pause, undefined, { signal }).catch(() => undefined), ...(outcome === 'done' ? [woken] : [])]);
    }
    this.#wakes.delete(partition);
  }

  async #publishPage(partition: number): Promise<'more' | 'done' | 'failed'> {
    if (!(await this.topics.ready())) return 'failed';
    const page = await this.publications.waiting(partition, PAGE);
    if (page.length === 0) return 'done';
    const stored = await Promise.all(page.map((alert) => this.topics.publish(alert)));
    const noted = page.flatMap(({ tenant, data }, index) => {
      const sequence = stored[index] ?? null;
      return sequence === null ? [] : [{ tenant, alertId: data.alertId, sequence }];
    });
    await this.publications.note(noted);
    if (noted.length < page.length) return 'failed';
    return page.length === PAGE ? 'more' : 'done';
  }
}
