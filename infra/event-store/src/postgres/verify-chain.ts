import { digestOf, GENESIS, linkOf } from '../chain.js';
import { type EncodableEvent, encodedBound, encodeEvents } from '../encode-events.js';
import type { Query } from './query.js';
import type { Reader } from './reader.js';

export type ChainBreak = Readonly<{ position: number; reason: string }>;

/** One page reads this many appends, each at most a group. */
const PAGE_APPENDS = 20;

const APPENDS = `SELECT a.first, a.last, store.micros(a.recorded_at), a.link FROM store.appends a
  WHERE a.partition = $1::int4 AND a.last > $2::int8 ORDER BY a.last LIMIT ${PAGE_APPENDS}`;
const EVENTS = `SELECT position, id, stream, revision, type, version, content_hash, data, meta FROM store.events
  WHERE partition = $1::int4 AND position BETWEEN $2::int8 AND $3::int8 ORDER BY position`;

type AppendRow = [string, string, string, Buffer];
type EventRow = [string, string, string, string, string, number, Buffer, string, string];

/** Recomputes every link of a partition from what is stored now; null when all hold, up to the head as read at the start. */
export const verifyChain = async (reader: Reader, query: Query, partition: number): Promise<ChainBreak | null> => {
  const head = (await reader.heads()).find((each) => each.partition === partition);
  if (head === undefined) throw new RangeError(`no partition ${partition}`);
  let previous = GENESIS;
  let position = 0;
  while (position < head.position) {
    const appends = await query<AppendRow>('store_verify_appends', APPENDS, [partition, position]);
    if (appends.length === 0) return { position: position + 1, reason: `the head is at ${head.position}, but no append follows` };
    const until = Number(appends.at(-1)?.[1]);
    const events = (await query<EventRow>('store_verify_events', EVENTS, [partition, position + 1, until])).map(encodable);
    let next = 0;
    for (const [firstText, lastText, micros, link] of appends) {
      const [first, last] = [Number(firstText), Number(lastText)];
      if (first !== position + 1) return { position: position + 1, reason: `the append ending at ${last} begins at ${first}` };
      const own: EncodableEvent[] = [];
      for (; position < last; position += 1, next += 1) {
        const event = events[next];
        if (event?.position !== position + 1) return { position: position + 1, reason: 'the event is missing' };
        own.push(event);
      }
      const computed = linkOf({ previous, first, recordedMicros: Number(micros), digest: digestOf(encoded(partition, own)) });
      if (!computed.equals(link)) return { position: first, reason: `the stored events ${first}–${last} do not give the stored link` };
      previous = link;
    }
  }
  // The head may have moved on; the append that ended at it has not.
  if (position === head.position && !Buffer.from(previous).equals(head.link)) {
    return { position, reason: "the head's link is not that of its last append" };
  }
  return null;
};

const encoded = (partition: number, events: readonly EncodableEvent[]): Buffer => {
  const buffer = Buffer.allocUnsafe(encodedBound(events));
  return buffer.subarray(0, encodeEvents(buffer, 0, partition, events));
};

const encodable = ([position, id, stream, revision, type, version, contentHash, data, meta]: EventRow): EncodableEvent => ({
  position: Number(position),
  id,
  stream,
  revision: Number(revision),
  type,
  version,
  contentHash,
  data,
  meta,
});
