import type { NewRow } from '../decide-group.js';
import { encodedBound, encodeEvents } from '../encode-events.js';

/** Signature, flags, no header extension (PostgreSQL, COPY, "Binary Format"). */
const HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const MESSAGE_PREFIX = 5;

/** The rows as one CopyData message and CopyDone, ready for the wire, and the part of it that is hashed. */
export const copyMessage = (partition: number, rows: readonly NewRow[]): Readonly<{ raw: Buffer; bytes: Buffer }> => {
  const start = MESSAGE_PREFIX + HEADER.length;
  const buffer = Buffer.allocUnsafe(start + encodedBound(rows) + 2 + COPY_DONE.length);
  const end = encodeEvents(buffer, start, partition, rows);
  HEADER.copy(buffer, MESSAGE_PREFIX);
  buffer.writeInt16BE(-1, end);
  buffer[0] = COPY_DATA;
  buffer.writeInt32BE(end + 2 - 1, 1);
  COPY_DONE.copy(buffer, end + 2);
  return { raw: buffer.subarray(0, end + 2 + COPY_DONE.length), bytes: buffer.subarray(start, end) };
};
