import { setTimeout as delay } from 'node:timers/promises';
import { type AlertTopics, Effect, type Publications, type RecordedAlert, type RecordedBatch } from './ports.js';

const PAGE = 500;
/** The table is looked at so often when nobody says that something is new. */
const IDLE_MS = 5_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** What was raised longer ago is history that is caught up with: nobody waits for it. */
const FRESH_MS = 60_000;

/** A partition's way to the topics, for as long as this process publishes it. */
type Lane = {
  wake: () => void;
  /** The table had nothing left when it was read last. */
  isRead: boolean;
  /** Sent before they were recorded, by position: their places in the stream. */
  readonly sent: Map<number, Promise<number | null>>;
  /** Fresh ones that were not: what comes after them waits, as long as they do. */
  readonly held: Set<number>;
};

/**
 * Publishes alerts on their topics: at least once, in the order of the ledger, under the alert's id. What has just come out of the ledger
 * goes out at once, ahead of its row; the table says what is to go out still, and is told where the stream has it. So a process may die
 * anywhere, and a stream that comes back without something gets it again.
 */
export class PublishAlerts extends Effect {
  readonly #lanes = new Map<number, Lane>();

  constructor(
    private readonly publications: Publications,
    private readonly topics: AlertTopics,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  /** What is to be published is in the table of alerts. */
  async apply(): Promise<void> {}

  override raised({ partition, alerts }: RecordedBatch): void {
    const lane = this.#lanes.get(partition);
    if (lane === undefined) return;
    for (const alert of alerts) {
      const { position, isOld, raisedAt } = alert;
      if (isOld || lane.sent.has(position) || this.now() - Date.parse(raisedAt) > FRESH_MS) continue;
      if (lane.isRead && lane.held.size === 0) lane.sent.set(position, this.#send(alert, lane));
      else lane.held.add(position);
    }
  }

  override committed({ partition, alerts }: RecordedBatch): void {
    if (alerts.length > 0) this.#lanes.get(partition)?.wake();
  }

  /** For as long as this process has the partition. Rejects with what the database says. */
  async run(partition: number, signal: AbortSignal): Promise<void> {
    const lane: Lane = { wake: () => undefined, isRead: false, sent: new Map(), held: new Set() };
    this.#lanes.set(partition, lane);
    let wait = FIRST_RETRY_MS;
    try {
      while (!signal.aborted) {
        const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
        lane.wake = wake;
        const outcome = await this.#publishPage(partition, lane);
        if (outcome === 'more') continue;
        const pause = outcome === 'failed' ? wait : IDLE_MS;
        wait = outcome === 'failed' ? Math.min(wait * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
        await Promise.race([delay(pause, undefined, { signal }).catch(() => undefined), ...(outcome === 'done' ? [woken] : [])]);
      }
    } finally {
      if (this.#lanes.get(partition) === lane) this.#lanes.delete(partition);
    }
  }

  async #publishPage(partition: number, lane: Lane): Promise<'more' | 'done' | 'failed'> {
    if (!(await this.topics.ready())) {
      lane.isRead = false;
      return 'failed';
    }
    const page = await this.publications.waiting(partition, PAGE);
    const stored = await Promise.all(page.map((alert) => lane.sent.get(alert.position) ?? this.topics.publish(alert)));
    const noted = page.flatMap(({ tenant, data }, index) => {
      const sequence = stored[index] ?? null;
      return sequence === null ? [] : [{ tenant, alertId: data.alertId, sequence }];
    });
    await this.publications.note(noted);
    for (const { position } of page) {
      lane.sent.delete(position);
      lane.held.delete(position);
    }
    lane.isRead = noted.length === page.length && page.length < PAGE;
    if (noted.length < page.length) return 'failed';
    return lane.isRead ? 'done' : 'more';
  }

  /** Never rejects; null: the loop publishes it, and until then nothing overtakes it. */
  async #send(alert: RecordedAlert, lane: Lane): Promise<number | null> {
    try {
      const sequence = (await this.topics.ready()) ? await this.topics.publish(alert) : null;
      lane.isRead &&= sequence !== null;
      return sequence;
    } catch {
      // The database does not say what the stream should have: the loop finds out.
      lane.isRead = false;
      return null;
    }
  }
}
