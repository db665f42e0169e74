import type { StoredEvent } from '@bursar/event-store';
import { traceOfMeta } from './trace.js';

/**
 * Stored events as CloudEvents 1.0, JSON format, and back with every byte of `data` and `meta` as stored: the hash chain is
 * over those bytes, so a consumer can check them. Extension attributes: `position` and `revision` (decimal text: a CloudEvents
 * integer has 32 bits), `schemaversion`, `contenthash` (base64), `meta` (the stored text), `datalength` (UTF-16 units of `data`, so
 * that a reader cuts it out without scanning); `traceparent` and `tracestate` out of `meta`, for those who follow traces. `data` comes last.
 */
export const toCloudEvent = (event: StoredEvent): string =>
  `{"specversion":"1.0","id":"${event.id}","source":"/bursar/ledger/${event.partition}","type":${JSON.stringify(event.type)},` +
  `"subject":${JSON.stringify(event.stream)},"time":"${event.recordedAt}","datacontenttype":"application/json",` +
  `"schemaversion":${event.version},"position":"${event.position}","revision":"${event.revision}",` +
  `"contenthash":"${base64(event.contentHash)}",${traceMembers(event.meta)}"meta":${JSON.stringify(event.meta)},` +
  `"datalength":${event.data.length},"data":${event.data}}`;

/** The extension attributes of CloudEvents' Distributed Tracing. */
const traceMembers = (meta: string): string => {
  const trace = traceOfMeta(meta);
  if (trace === null) return '';
  const state = trace.tracestate === undefined ? '' : `"tracestate":${JSON.stringify(trace.tracestate)},`;
  return `"traceparent":"${trace.traceparent}",${state}`;
};

const base64 = ({ buffer, byteOffset, byteLength }: Uint8Array): string => Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** The text is not what {@link toCloudEvent} writes. */
export class MalformedEventError extends Error {
  override readonly name = 'MalformedEventError';
}

/** Throws {@link MalformedEventError}. */
export const fromCloudEvent = (text: string): StoredEvent => {
  const { event, end } = readCloudEvent(text, 0);
  if (end !== text.length) throw new MalformedEventError('text after the event');
  return event;
};

/** A CloudEvents batch of the events, in order. */
export const toBatch = (events: readonly StoredEvent[]): string => `[${events.map(toCloudEvent).join(',')}]`;

/** Throws {@link MalformedEventError}. */
export const fromBatch = (text: string): readonly StoredEvent[] => {
  const events: StoredEvent[] = [];
  if (text === '[]') return events;
  if (text[0] !== '[') throw new MalformedEventError('not a batch');
  let at = 1;
  for (;;) {
    const { event, end } = readCloudEvent(text, at);
    events.push(event);
    if (text[end] === ']' && end + 1 === text.length) return events;
    if (text[end] !== ',') throw new MalformedEventError('not a batch');
    at = end + 1;
  }
};

// Quotes inside JSON strings are escaped, so the first of these after an event's start is its own member.
const DATA_MEMBER = ',"data":';
const SOURCE = /^\/bursar\/ledger\/(\d{1,5})$/;
const DECIMAL = /^\d{1,16}$/;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HASH = /^[A-Za-z0-9+/]{43}=$/;

type Name =
  | 'id'
  | 'source'
  | 'type'
  | 'subject'
  | 'time'
  | 'schemaversion'
  | 'position'
  | 'revision'
  | 'contenthash'
  | 'meta'
  | 'datalength';
type Attributes = Partial<Record<Name, unknown>>;

const readCloudEvent = (text: string, start: number): { event: StoredEvent; end: number } => {
  const cut = text.indexOf(DATA_MEMBER, start);
  if (cut < 0) throw new MalformedEventError('no data');
  const attributes = parseAttributes(`${text.slice(start, cut)}}`);
  const { id, source, type, subject, time, schemaversion, contenthash, meta, datalength } = attributes;
  const partition = typeof source === 'string' ? SOURCE.exec(source)?.[1] : undefined;
  if (
    !isText(id) ||
    !UUID.test(id) ||
    !isText(type) ||
    !isText(subject) ||
    !isText(time) ||
    !isText(meta) ||
    !isText(contenthash) ||
    !HASH.test(contenthash) ||
    typeof schemaversion !== 'number' ||
    (schemaversion | 0) !== schemaversion ||
    typeof datalength !== 'number' ||
    partition === undefined ||
    !(datalength > 0)
  ) {
    throw new MalformedEventError('an attribute is missing or of another type');
  }
  const from = cut + DATA_MEMBER.length;
  const end = from + datalength;
  if (text[end] !== '}') throw new MalformedEventError('data is not as long as it says');
  const event: StoredEvent = {
    partition: Number(partition),
    position: decimal(attributes.position),
    stream: subject,
    revision: decimal(attributes.revision),
    id,
    type,
    version: schemaversion,
    data: text.slice(from, end),
    meta,
    contentHash: Buffer.from(contenthash, 'base64'),
    recordedAt: time,
  };
  return { event, end: end + 1 };
};

const parseAttributes = (text: string): Attributes => {
  try {
    return JSON.parse(text) as Attributes;
  } catch (cause) {
    throw new MalformedEventError('not JSON', { cause });
  }
};

/** Half a surrogate pair would pass the hash as the replacement character that its bytes are. */
const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed();

const decimal = (value: unknown): number => {
  if (typeof value !== 'string' || !DECIMAL.test(value)) throw new MalformedEventError('not a position');
  return Number(value);
};
