import { HEADER, ledgerSubject, MAX_RANGE_BYTES, MAX_RANGE_EVENTS } from '@bursar/contracts/bus';
import type { AppendedRange, StoredEvent } from '@bursar/event-store';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { fromBatch, MalformedEventError, toBatch } from './cloud-event.js';
import { setTrace, sharedTrace } from './trace.js';

/** What one append stored, or several one after another, as it travels on `ledger.<partition>`. */
export type RangeMessage = Readonly<{ subject: string; headers: MsgHdrs; body: Uint8Array }>;

/** A range as it arrived: its place from the headers, its events still bytes. Nothing of it is trusted yet. */
export type ReceivedRange = Readonly<{ first: number; last: number; link: Uint8Array; body: Uint8Array }>;

/** By the first event of a range this process has announced: the batch of all its events, for whoever sends the very same elsewhere. */
const encoded = new WeakMap<StoredEvent, Readonly<{ events: number; body: Uint8Array }>>();

/** The CloudEvents batch of exactly these events, if this process has just made it; at most 500 events and 512 KB. */
export const encodedBatch = (events: readonly StoredEvent[]): Uint8Array | null => {
  const known = events[0] === undefined ? undefined : encoded.get(events[0]);
  return known?.events === events.length ? known.body : null;
};

const BATCH_TYPE = 'application/cloudevents-batch+json';
const NO_EVENTS = Buffer.from('[]');

/**
 * One message for an append, or for some that follow one another. An append too large for a message (over 500 events or 512 KB) travels without its events,
 * `wake: true`: consumers read them from the store at once. It cannot be split: only its last position has a link.
 */
export const toRangeMessage = (range: AppendedRange): RangeMessage & { readonly wake: boolean } => {
  const body = range.events.length > MAX_RANGE_EVENTS ? NO_EVENTS : Buffer.from(toBatch(range.events));
  const wake = body.length > MAX_RANGE_BYTES || body.length === NO_EVENTS.length;
  if (!wake && range.events[0] !== undefined) encoded.set(range.events[0], { events: range.events.length, body });
  const fields = headers();
  fields.set('Content-Type', BATCH_TYPE);
  fields.set(HEADER.firstPosition, String(range.first));
  fields.set(HEADER.lastPosition, String(range.last));
  fields.set(HEADER.link, Buffer.from(range.link).toString('hex'));
  fields.set(HEADER.messageId, `ledger/${range.partition}/${range.first}-${range.last}`);
  setTrace(fields, sharedTrace(range.events));
  return { subject: ledgerSubject(range.partition), headers: fields, body: wake ? NO_EVENTS : body, wake };
};

const POSITION = /^[1-9]\d{0,15}$/;
const LINK = /^[0-9a-f]{64}$/;

/** Reads the headers of a message; null when they are not those of a range (garbage on the subject is ignored, not fatal). */
export const readRange = (message: Pick<Msg, 'headers' | 'data'>): ReceivedRange | null => {
  const first = position(message.headers?.get(HEADER.firstPosition));
  const last = position(message.headers?.get(HEADER.lastPosition));
  const link = message.headers?.get(HEADER.link) ?? '';
  if (first === null || last === null || first > last || !LINK.test(link)) return null;
  return { first, last, link: Buffer.from(link, 'hex'), body: message.data };
};

const position = (text: string | undefined): number | null => {
  if (text === undefined || !POSITION.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
};

/** True for the announcement of a range without its events. */
export const isWake = (range: ReceivedRange): boolean => range.body.length === NO_EVENTS.length;

/** The events of a range: exactly its positions, of its partition. Throws {@link MalformedEventError}. */
export const eventsOf = (range: ReceivedRange, partition: number): readonly StoredEvent[] => {
  const events = fromBatch(Buffer.from(range.body.buffer, range.body.byteOffset, range.body.byteLength).toString('utf8'));
  if (events.length !== range.last - range.first + 1) throw new MalformedEventError('positions and events differ in number');
  events.forEach((event, index) => {
    if (event.partition !== partition || event.position !== range.first + index) throw new MalformedEventError('another position');
  });
  return events;
};
