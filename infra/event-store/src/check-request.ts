import type { AppendRequest, EventToAppend } from './port.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HASH_BYTES = 32;
const MAX_STREAM = 512;
const MAX_VERSION = 0x7fff_ffff;

/**
 * Throws `RangeError` for what could not be stored exactly as given. Checked before a request joins a group: there, one that the
 * server refuses would cost the others their round trip. A caller that gets it has a bug.
 */
export const checkRequest = (request: AppendRequest, partitions: number): void => {
  const { partition, stream, events, expectedRevision } = request;
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) throw new RangeError(`no partition ${partition}`);
  if (stream.length === 0 || stream.length > MAX_STREAM || !isStorable(stream)) throw new RangeError('not a stream name');
  if (typeof expectedRevision === 'number' && !(Number.isSafeInteger(expectedRevision) && expectedRevision >= 0)) {
    throw new RangeError(`not a revision: ${expectedRevision}`);
  }
  for (const event of events) checkEvent(event);
};

const checkEvent = ({ id, type, version, data, meta, contentHash }: EventToAppend): void => {
  if (!UUID.test(id)) throw new RangeError('an event id must be a lower-case UUID');
  if (contentHash.length !== HASH_BYTES) throw new RangeError(`the content hash of ${id} must have ${HASH_BYTES} bytes`);
  if (!Number.isInteger(version) || version < 0 || version > MAX_VERSION) throw new RangeError(`not a version: ${version}`);
  if (!isStorable(type) || !isStorable(data) || !isStorable(meta)) throw new RangeError(`event ${id} holds NUL or half a character`);
};

/** PostgreSQL's text cannot hold NUL, and half a surrogate pair has no UTF-8. JSON texts have neither: they escape them. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
