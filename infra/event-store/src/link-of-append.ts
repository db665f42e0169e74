import { digestOf, linkOf } from './chain.js';
import { encodedBound, encodeEvents } from './encode-events.js';
import { parseMicros } from './instants.js';
import type { StoredEvent } from './port.js';

/**
 * The chain's link after one append's events, from the link before them: what the store gave it, if these are its events to the
 * last byte. Null when they cannot be one append: none, or not of one `recordedAt`.
 */
export const linkOfAppend = (previous: Uint8Array, events: readonly StoredEvent[]): Uint8Array | null => {
  const first = events[0];
  if (first === undefined) return null;
  const recordedMicros = parseMicros(first.recordedAt);
  if (!Number.isSafeInteger(recordedMicros) || events.some(({ recordedAt }) => recordedAt !== first.recordedAt)) return null;
  const buffer = scratchOf(encodedBound(events));
  const bytes = buffer.subarray(0, encodeEvents(buffer, 0, first.partition, events));
  return linkOf({ previous, first: first.position, recordedMicros, digest: digestOf(bytes) });
};

/** Fresh pages for every range cost more than hashing it does. What is larger than this is not kept. */
const SCRATCH_BYTES = 4 * 1024 * 1024;
let scratch = Buffer.alloc(0);

/** Nothing between its use and its next one waits, so one is enough. */
const scratchOf = (bytes: number): Buffer => {
  if (bytes > SCRATCH_BYTES) return Buffer.allocUnsafe(bytes);
  if (bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.min(SCRATCH_BYTES, bytes * 2));
  return scratch;
};
