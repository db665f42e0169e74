import { writeUuid } from '../encode-events.js';

const UUID_OID = 2950;
const ARRAY_HEADER_BYTES = 20;

/** `uuid[]` in PostgreSQL's binary form: the server need not parse text, nor we quote it. */
export const uuidArray = (ids: readonly string[]): Buffer => {
  const buffer = Buffer.allocUnsafe(ARRAY_HEADER_BYTES + ids.length * 20);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(UUID_OID, 8);
  buffer.writeInt32BE(ids.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = ARRAY_HEADER_BYTES;
  for (const id of ids) at = writeUuid(buffer, id, buffer.writeInt32BE(16, at));
  return buffer;
};

/** `text[]` in PostgreSQL's text form. */
export const textArray = (texts: readonly string[]): string => `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;

/** The bytes of a `bytea` as the server prints it; none for null. */
export const bytea = (text: string | null | undefined): Buffer => Buffer.from(text?.slice(2) ?? '', 'hex');
