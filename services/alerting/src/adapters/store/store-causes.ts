import type { EventStore } from '@bursar/event-store';
import { Causes } from '../../features/ports.js';

/** From the store: what takes a budget over a threshold is usage as a rule, which the loop passes over. */
export class StoreCauses extends Causes {
  constructor(private readonly store: Pick<EventStore, 'recordedTimes'>) {
    super();
  }

  async recordedAt(partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const asked = [...new Set(positions)];
    const times = asked.length === 0 ? [] : await this.store.recordedTimes(partition, asked);
    const found = new Map<number, string>();
    for (const [index, time] of times.entries()) if (time !== null) found.set(asked[index] ?? 0, time);
    return found;
  }
}
