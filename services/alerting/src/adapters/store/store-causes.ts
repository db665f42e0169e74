import type { EventStore } from '@bursar/event-store';
import { Causes } from '../../features/ports.js';

/** Causes remembered of a partition: one event may take many budgets over their thresholds. */
const REMEMBERED = 500;

/** From the store: what takes a budget over a threshold is usage as a rule, which the loop passes over. */
export class StoreCauses extends Causes {
  readonly #known = new Map<string, Promise<string | null>>();

  constructor(private readonly store: Pick<EventStore, 'readPartition'>) {
    super();
  }

  recordedAt(partition: number, position: number): Promise<string | null> {
    const key = `${partition}:${position}`;
    const known = this.#known.get(key) ?? this.#read(partition, position);
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    // A store that does not answer is asked again.
    known.catch(() => this.#known.delete(key));
    return known;
  }

  async #read(partition: number, position: number): Promise<string | null> {
    const [event] = await this.store.readPartition(partition, position - 1, 1);
    return event?.recordedAt ?? null;
  }
}
