import { MAX_RANGE_BYTES, MAX_RANGE_EVENTS } from '@bursar/contracts/bus';
import type { AppendedRange, EventStore, StoredEvent } from '@bursar/event-store';
import type { Bus } from '../bus.js';
import type { Hole } from './coverage.js';

const READ_EVENTS = 2_000;
/** Attributes of a CloudEvent beside its texts. */
const EVENT_OVERHEAD_BYTES = 400;

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
 * The longest range from the first event that ends where an append ended (only there the chain has a link) and fits in a message;
 * when the first append alone does not fit, that one. Null when no append ends within the events.
 */
export const nextRange = async (
  store: Pick<EventStore, 'linkAt'>,
  partition: number,
  events: readonly StoredEvent[],
): Promise<AppendedRange | null> => {
  const { fitting, beyond } = candidateCuts(events);
  for (const count of [...fitting.reverse(), ...beyond]) {
    const range = events.slice(0, count);
    const [first, last] = [range[0], range.at(-1)];
    if (first === undefined || last === undefined) continue;
    const link = await store.linkAt(partition, last.position);
    if (link !== null) return { partition, first: first.position, last: last.position, link, events: range };
  }
  return null;
};

/** Counts of events after which an append may have ended: events of one append share their `recordedAt`. */
const candidateCuts = (events: readonly StoredEvent[]): { fitting: number[]; beyond: number[] } => {
  const fitting: number[] = [];
  const beyond: number[] = [];
  let bytes = 0;
  events.forEach((event, index) => {
    bytes += EVENT_OVERHEAD_BYTES + Buffer.byteLength(event.data) + event.meta.length;
    const count = index + 1;
    if (events[count]?.recordedAt === event.recordedAt) return;
    (count <= MAX_RANGE_EVENTS && bytes <= MAX_RANGE_BYTES ? fitting : beyond).push(count);
  });
  return { fitting, beyond };
};
