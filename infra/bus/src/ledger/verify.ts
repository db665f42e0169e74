import type { StoredEvent } from '@bursar/event-store';
import type { BufferedRange } from './buffered-range.js';

export type Verified = Readonly<{ events: readonly StoredEvent[]; link: Uint8Array }>;

/**
 * The events of consecutive ranges if they are the store's to the last byte, else null: garbage, a forgery, another history
 * (RELIABILITY IN-E5 to E7). The chain is computed over them from `previous`, the store's link at the position before the first, and
 * must end in what the store says its link is at the last position: one look-up, however many ranges.
 */
export const verifyRanges = async (
  ranges: readonly BufferedRange[],
  previous: Uint8Array,
  linkAt: (position: number) => Promise<Uint8Array | null>,
): Promise<Verified | null> => {
  let link = previous;
  let unconfirmed = false;
  for (const range of ranges) {
    // A trusted range carries the store's own link: it confirms what was computed before it, if there is anything to confirm.
    if (!range.trusted || unconfirmed) {
      const computed = range.linkAfter(link);
      if (computed === null || Buffer.compare(computed, range.link) !== 0) return null;
    }
    link = range.link;
    unconfirmed = !range.trusted;
  }
  const last = ranges.at(-1);
  if (last === undefined) return null;
  if (unconfirmed) {
    const stored = await linkAt(last.last);
    if (stored === null || Buffer.compare(stored, link) !== 0) return null;
  }
  const [only = [], ...others] = ranges.map((range) => range.events());
  return { events: others.length === 0 ? only : only.concat(...others), link };
};
