import { MAX_RANGE_BYTES, MAX_RANGE_EVENTS } from '@bursar/contracts/bus';
import type { AppendedRange, StoredEvent } from '@bursar/event-store';

/** Attributes of a CloudEvent beside its texts. */
const EVENT_OVERHEAD_BYTES = 400;

/** About what events take in a message. */
export const messageBytes = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { data, meta }) => sum + EVENT_OVERHEAD_BYTES + Buffer.byteLength(data) + meta.length, 0);

export const fitsInMessage = (events: number, bytes: number): boolean => events <= MAX_RANGE_EVENTS && bytes <= MAX_RANGE_BYTES;

/** Whoever receives two appends in one message tells them apart by their `recordedAt`. */
export const areApart = (earlier: StoredEvent | undefined, later: StoredEvent | undefined): boolean =>
  earlier?.recordedAt !== later?.recordedAt;

type Joining = { range: AppendedRange; bytes: number };

/** Ranges that follow one another in their partition as one, as far as that fits in a message and its appends can be told apart; each partition's in order. */
export const joined = (ranges: readonly AppendedRange[]): readonly AppendedRange[] => {
  if (ranges.length < 2) return ranges;
  const all: Joining[] = [];
  const latest = new Map<number, Joining>();
  for (const range of ranges) {
    const before = latest.get(range.partition);
    const bytes = messageBytes(range.events);
    if (before !== undefined && isNext(before, range, bytes)) {
      before.range = { ...range, first: before.range.first, events: before.range.events.concat(range.events) };
      before.bytes += bytes;
    } else {
      const joining = { range, bytes };
      all.push(joining);
      latest.set(range.partition, joining);
    }
  }
  return all.map(({ range }) => range);
};

const isNext = (before: Joining, { first, events }: AppendedRange, bytes: number): boolean =>
  before.range.last + 1 === first &&
  fitsInMessage(before.range.events.length + events.length, before.bytes + bytes) &&
  areApart(before.range.events.at(-1), events[0]);
