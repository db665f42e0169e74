/** A page of events ends at about this many bytes of data, after at least one event. */
export const PAGE_BYTES = 4 * 1024 * 1024;

/** Of an event in a page. PostgreSQL knows it without reading what is stored out of line. */
export const SIZE = 'octet_length(e.data) + octet_length(e.meta)';

export const COLUMNS = 'e.partition, e.position, e.stream, e.revision, e.id, e.type, e.version, e.data, e.meta, e.content_hash';

/** {@link COLUMNS} as they are answered. */
export type EventRow = [number, string, string, string, string, string, number, string, string, Buffer];
