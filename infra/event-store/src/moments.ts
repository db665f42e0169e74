import { parseInstant } from '@bursar/contracts';
import type { EventStore } from './port.js';

type Readable = Pick<EventStore, 'readPartition'>;

/**
 * The last position of a partition, up to its head, that was recorded at or before an instant (RFC 3339); 0 when all came later. In some
 * twenty small reads: `recordedAt` never decreases in a partition. Appends end there, because their events share it.
 */
export const lastRecordedBy = async (store: Readable, partition: number, head: number, instant: string): Promise<number> => {
  const limit = parseInstant(instant);
  let [low, high] = [0, head];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const at = await recordedAt(store, partition, middle);
    if (at !== null && parseInstant(at) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** When the event at a position was recorded; null where there is none. */
export const recordedAt = async (store: Readable, partition: number, position: number): Promise<string | null> => {
  if (position === 0) return null;
  const [event] = await store.readPartition(partition, position - 1, 1);
  return event?.recordedAt ?? null;
};
