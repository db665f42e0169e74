import { type AppendedRange, linkOfAppend, type StoredEvent } from '@bursar/event-store';
import { MalformedEventError } from '../cloud-event.js';
import { eventsOf, type ReceivedRange } from '../range-message.js';

/** A range that waits for its turn. What costs time is done when it comes, and once, however many consumers of the process ask. */
export type BufferedRange = Readonly<{
  first: number;
  last: number;
  /** The chain's link at `last`: the store's own when `trusted`, else what the message claims. */
  link: Uint8Array;
  /** Rough memory it holds. */
  bytes: number;
  /** Comes from this process's own commit, not from the bus. */
  trusted: boolean;
  /** Throws `MalformedEventError`; not after {@link linkAfter} has answered. */
  events: () => readonly StoredEvent[];
  /** The link its events give after `previous`; null when they are none that a store could have appended. */
  linkAfter: (previous: Uint8Array) => Uint8Array | null;
}>;

/** Of one event: what is around its text, and the text once more as it was announced, which lives as long as the event (`encodedBatch`). */
const EVENT_OVERHEAD_BYTES = 800;

/** What this process appended itself. The link is copied: as the driver gave it, it is a view of all that came in the same read of the socket. */
export const ownRange = ({ first, last, link, events }: AppendedRange): BufferedRange => {
  const bytes = events.reduce((sum, event) => sum + 2 * event.data.length + EVENT_OVERHEAD_BYTES, 0);
  const linkAfter = (previous: Uint8Array) => linkOfAppends(previous, events);
  return { first, last, link: Uint8Array.from(link), bytes, trusted: true, events: () => events, linkAfter };
};

/** What a message brought: bytes of whoever may publish there. */
export const receivedRange = (range: ReceivedRange, partition: number): BufferedRange => {
  const { first, last, link, body } = range;
  let decoded: readonly StoredEvent[] | undefined;
  let computed: Readonly<{ previous: Uint8Array; link: Uint8Array | null }> | undefined;
  const events = () => {
    decoded ??= eventsOf(range, partition);
    return decoded;
  };
  const linkAfter = (previous: Uint8Array) => {
    if (computed === undefined || Buffer.compare(computed.previous, previous) !== 0) {
      computed = { previous, link: tryLink(previous, events) };
    }
    return computed.link;
  };
  return { first, last, link, bytes: body.length * 2, trusted: false, events, linkAfter };
};

const tryLink = (previous: Uint8Array, events: () => readonly StoredEvent[]): Uint8Array | null => {
  try {
    return linkOfAppends(previous, events());
  } catch (error) {
    if (error instanceof MalformedEventError) return null;
    throw error;
  }
};

/**
 * A message of the relay may hold several appends: the events of one share their `recordedAt`. Two appends of the same microsecond
 * cannot be told apart and give null, which costs a read of the store.
 */
const linkOfAppends = (previous: Uint8Array, events: readonly StoredEvent[]): Uint8Array | null => {
  let link: Uint8Array | null = previous;
  for (let from = 0; from < events.length && link !== null; ) {
    const recordedAt = events[from]?.recordedAt;
    let until = from + 1;
    while (events[until]?.recordedAt === recordedAt && until < events.length) until += 1;
    link = linkOfAppend(link, from === 0 && until === events.length ? events : events.slice(from, until));
    from = until;
  }
  return link;
};
