import type { RecordedBatch } from '../../features/ports.js';

/** Of one transaction. */
const MAX_EVENTS = 1_000;

/** What batches of a partition brought to be recorded, oldest first. */
export class RecordQueue {
  readonly #batches: RecordedBatch[] = [];
  #events = 0;

  constructor(private readonly partition: number) {}

  /** How many wait. */
  get events(): number {
    return this.#events;
  }

  push(batch: RecordedBatch): void {
    this.#batches.push(batch);
    this.#events += batch.events.length;
  }

  /** What goes into one transaction, the first batch at least; up to `wanted` where that is all. It stays until it has {@link passed}. */
  next(wanted: number): RecordedBatch {
    let events = 0;
    const end = this.#batches.findIndex((batch, index) => {
      events += batch.events.length;
      return index > 0 && events > MAX_EVENTS;
    });
    const batches = end === -1 ? this.#batches : this.#batches.slice(0, end);
    return {
      partition: this.partition,
      last: end === -1 ? wanted : (batches.at(-1)?.last ?? wanted),
      events: batches.flatMap((batch) => batch.events),
      alerts: batches.flatMap((batch) => batch.alerts),
    };
  }

  /** Recorded up to there. */
  passed(position: number): void {
    for (let first = this.#batches[0]; first !== undefined && first.last <= position; first = this.#batches[0]) {
      this.#batches.shift();
      this.#events -= first.events.length;
    }
  }
}
