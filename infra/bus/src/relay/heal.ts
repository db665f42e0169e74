import type { AppendedRange, EventStore, StoredEvent } from '@bursar/event-store';
import type { Bus } from '../bus.js';
import { areApart, fitsInMessage, messageBytes } from '../joined-ranges.js';
import type { Hole } from './coverage.js';

const READ_EVENTS = 2_000;

/** Publishes what a hole holds, read from the store. True when JetStream has all of it. */
export const heal = async (bus: Bus, store: EventStore, partition: number, hole: Hole): Promise<boolean> => {
  for (let { after } = hole; after < hole.through; ) {
    const events = await store.readPartition(partition, after, Math.min(READ_EVENTS, hole.through - after));
    if (events.length === 0) return true;
    const range = await nextRange(store, partition, events);
    if (range === null) return true;
    bus.counters.relayRanges += 1;
    if (!(await bus.sendRange(range))) return false;
    after = range.last;
  }
  return true;
};

/**
 * The longest range from the first event that ends where an append ended (only there the chain has a link), fits in a message, and whose
 * appends can be told apart by their `recordedAt`, as whoever receives them must; when the first append alone does not fit, that one.
 * Null when no append ends within the events.
 */
export const nextRange = async (
  store: Pick<EventStore, 'linkAt' | 'appendEnds'>,
  partition: number,
  events: readonly StoredEvent[],
): Promise<AppendedRange | null> => {
  const [first, newest] = [events[0], events.at(-1)];
  if (first === undefined || newest === undefined) return null;
  const ends = await store.appendEnds(partition, first.position - 1, newest.position);
  const range = events.slice(0, longestFitting(events, ends));
  const last = range.at(-1);
  if (last === undefined) return null;
  const link = await store.linkAt(partition, last.position);
  return link === null ? null : { partition, first: first.position, last: last.position, link, events: range };
};

/** How many events that is; 0 when there is no end among them. */
const longestFitting = (events: readonly StoredEvent[], ends: readonly number[]): number => {
  const first = events[0]?.position ?? 0;
  let bytes = 0;
  let taken = 0;
  for (const end of ends) {
    const append = events.slice(taken, end - first + 1);
    bytes += messageBytes(append);
    const count = taken + append.length;
    if (taken > 0 && !(fitsInMessage(count, bytes) && areApart(events[taken - 1], append[0]))) break;
    taken = count;
  }
  return taken;
};
