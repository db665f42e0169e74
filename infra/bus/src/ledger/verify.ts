import type { StoredEvent } from '@bursar/event-store';
import { MalformedEventError } from '../cloud-event.js';
import type { BufferedRange } from './range-buffer.js';

export type Verified = Readonly<{ events: readonly StoredEvent[]; link: Uint8Array }>;

/**
 * The events of consecutive ranges if the store confirms the chain's link at the last position, else null: garbage, a forgery, or
 * another history (RELIABILITY IN-E5 to E7). `linkAt` answers the store's link at a position that ended an append.
 */
export const verifyRanges = async (
  ranges: readonly BufferedRange[],
  linkAt: (position: number) => Promise<Uint8Array | null>,
): Promise<Verified | null> => {
  const last = ranges.at(-1);
  if (last === undefined) return null;
  const events = decode(ranges);
  if (events === null) return null;
  if (!last.trusted) {
    const link = await linkAt(last.last);
    if (link === null || Buffer.compare(link, last.link) !== 0) return null;
  }
  return { events, link: last.link };
};

const decode = (ranges: readonly BufferedRange[]): readonly StoredEvent[] | null => {
  try {
    const [only, ...others] = ranges.map((range) => range.events());
    if (only === undefined) return null;
    return others.length === 0 ? only : only.concat(...others);
  } catch (error) {
    if (error instanceof MalformedEventError) return null;
    throw error;
  }
};
