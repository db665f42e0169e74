import type { EventStore, StoredEvent } from '@bursar/event-store';
import { isKeptInside } from './fan-out-messages.js';

/**
 * Cuts the events of a partition, as they come, where appends ended: the store knows where. What is made of an append is then the same
 * whoever makes it, and wherever a page of the store or a batch was cut. Holds back the append that has not come to its end yet.
 */
export class WholeAppends {
  #held: readonly StoredEvent[] = [];

  constructor(
    private readonly store: Pick<EventStore, 'appendEnds'>,
    private readonly partition: number,
  ) {}

  /**
   * Takes the events that follow, and answers the appends that are whole by now; what is kept inside alone, as it came. After a failure of the store, begin
   * anew.
   */
  async add(events: readonly StoredEvent[]): Promise<readonly (readonly StoredEvent[])[]> {
    const all = this.#held.length === 0 ? events : [...this.#held, ...events];
    const [first, last] = [all[0], all.at(-1)];
    if (first === undefined || last === undefined) return [];
    if (all.every(isKeptInside)) {
      // Reservations come by hundreds a second, and nothing is made of them: the store is spared the question.
      this.#held = [];
      return [all];
    }
    const ends = await this.store.appendEnds(this.partition, first.position - 1, last.position);
    let from = 0;
    const appends = ends.map((end) => {
      const append = all.slice(from, end - first.position + 1);
      from += append.length;
      return append;
    });
    this.#held = all.slice(from);
    return appends;
  }
}
