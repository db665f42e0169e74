/** What the store keeps of one event: the bytes that are hashed, and the row that is copied in. */
export type EncodableEvent = Readonly<{
  position: number;
  id: string;
  stream: string;
  revision: number;
  type: string;
  version: number;
  contentHash: Uint8Array;
  data: string;
  meta: string;
}>;

/** The columns in the order of their bytes. */
export const EVENT_COLUMNS = 'partition, position, id, stream, revision, type, version, content_hash, data, meta';
const FIELDS = 10;
/** Field count, ten lengths, and the fields of fixed size. */
const FIXED_BYTES = 2 + FIELDS * 4 + 4 + 8 + 16 + 8 + 4 + 32;
/** The most bytes that one UTF-16 code unit takes in UTF-8. */
const MAX_UTF8 = 3;

const HEX = new Uint8Array(128);
for (let digit = 0; digit < 16; digit += 1) HEX[digit.toString(16).charCodeAt(0)] = digit;

/** Enough room for {@link encodeEvents}, whatever the characters. */
export const encodedBound = (events: readonly EncodableEvent[]): number =>
  events.reduce((sum, e) => sum + FIXED_BYTES + MAX_UTF8 * (e.stream.length + e.type.length + e.data.length + e.meta.length), 0);

/**
 * Writes the events one after the other and returns the offset behind them. Each is a count of fields (int16), then for every field
 * of {@link EVENT_COLUMNS} its length (int32) and its bytes: integers big-endian, ids as 16 bytes, text as UTF-8. Unambiguous by
 * the lengths, and the tuple format of PostgreSQL's binary COPY: what is hashed is what is sent, encoded once.
 */
export const encodeEvents = (into: Buffer, start: number, partition: number, events: readonly EncodableEvent[]): number => {
  let at = start;
  for (const event of events) {
    at = into.writeInt16BE(FIELDS, at);
    at = into.writeInt32BE(partition, into.writeInt32BE(4, at));
    at = writeInt64(into, event.position, into.writeInt32BE(8, at));
    at = writeUuid(into, event.id, into.writeInt32BE(16, at));
    at = writeText(into, event.stream, at);
    at = writeInt64(into, event.revision, into.writeInt32BE(8, at));
    at = writeText(into, event.type, at);
    at = into.writeInt32BE(event.version, into.writeInt32BE(4, at));
    at = into.writeInt32BE(event.contentHash.length, at);
    into.set(event.contentHash, at);
    at = writeText(into, event.data, at + event.contentHash.length);
    at = writeText(into, event.meta, at);
  }
  return at;
};

const writeText = (into: Buffer, text: string, at: number): number => {
  const length = into.write(text, at + 4, 'utf8');
  into.writeInt32BE(length, at);
  return at + 4 + length;
};

/** Safe integers only, never negative: cheaper than by way of bigint. */
const writeInt64 = (into: Buffer, value: number, at: number): number => {
  into.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  return into.writeUInt32BE(value >>> 0, at + 4);
};

/** Of canonical lower-case text, which the append has checked. */
export const writeUuid = (into: Buffer, id: string, start: number): number => {
  let at = start;
  for (let i = 0; i < 36; i += 2) {
    if (i === 8 || i === 13 || i === 18 || i === 23) i += 1;
    into[at] = (HEX[id.charCodeAt(i)] ?? 0) * 16 + (HEX[id.charCodeAt(i + 1)] ?? 0);
    at += 1;
  }
  return at;
};
