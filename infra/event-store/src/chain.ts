import { hash } from 'node:crypto';

/**
 * The hash chain of a partition: one link per append,
 *
 *     link = SHA-256( previous link · first position, int64 · recordedAt in µs since 1970, int64 · SHA-256(the events' bytes) )
 *
 * over the bytes of {@link encodeEvents}. Integers are big-endian. The first append continues {@link GENESIS}.
 * A store computes it where it moves the partition's head, because only there the previous link and `recordedAt` are known.
 */
export const GENESIS: Uint8Array = new Uint8Array(32);

export type LinkInput = Readonly<{ previous: Uint8Array; first: number; recordedMicros: number; digest: Uint8Array }>;

export const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

export const linkOf = ({ previous, first, recordedMicros, digest }: LinkInput): Buffer => {
  const input = Buffer.allocUnsafe(previous.length + 16 + digest.length);
  input.set(previous, 0);
  input.writeBigInt64BE(BigInt(first), previous.length);
  input.writeBigInt64BE(BigInt(recordedMicros), previous.length + 8);
  input.set(digest, previous.length + 16);
  return hash('sha256', input, 'buffer');
};
