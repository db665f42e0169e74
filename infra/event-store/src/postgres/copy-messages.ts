import { createHash, hash } from 'node:crypto';
import type { NewRow } from '../decide-group.js';
import { encodedBound, encodeEvents } from '../encode-events.js';

/** Signature, flags, no header extension (PostgreSQL, COPY, "Binary Format"). */
const HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const MESSAGE_PREFIX = 5;
const CHUNK_ROWS = 128;

export type CopyMessages = Readonly<{
  /** Each makes one message for the wire; call them once and in order. */
  chunks: readonly (() => Buffer)[];
  /** Of all rows' bytes, once every chunk was made. */
  digest: () => Buffer;
}>;

/** Of one row's bytes, as if it were copied. */
export const digestOf = (partition: number, row: NewRow): Buffer => {
  const buffer = Buffer.allocUnsafe(encodedBound([row]));
  return hash('sha256', buffer.subarray(0, encodeEvents(buffer, 0, partition, [row])), 'buffer');
};

/** The rows as the data of a binary COPY, in pieces, so that the server inserts one while the next is encoded and hashed. */
export const copyMessages = (partition: number, rows: readonly NewRow[]): CopyMessages => {
  const digest = createHash('sha256');
  const chunk = (from: number) => (): Buffer => {
    const part = rows.slice(from, from + CHUNK_ROWS);
    const isLast = from + CHUNK_ROWS >= rows.length;
    const start = MESSAGE_PREFIX + (from === 0 ? HEADER.length : 0);
    const buffer = Buffer.allocUnsafe(start + encodedBound(part) + 2 + COPY_DONE.length);
    let end = encodeEvents(buffer, start, partition, part);
    digest.update(buffer.subarray(start, end));
    if (from === 0) HEADER.copy(buffer, MESSAGE_PREFIX);
    if (isLast) end = buffer.writeInt16BE(-1, end);
    buffer[0] = COPY_DATA;
    buffer.writeInt32BE(end - 1, 1);
    if (isLast) end += COPY_DONE.copy(buffer, end);
    return buffer.subarray(0, end);
  };
  const starts = Array.from({ length: Math.ceil(rows.length / CHUNK_ROWS) }, (_, n) => n * CHUNK_ROWS);
  return { chunks: starts.map(chunk), digest: () => digest.digest() };
};
