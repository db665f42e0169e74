import { type EventMeta, readTrace, type Trace } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import type { MsgHdrs } from '@nats-io/transport-node';

let last: Readonly<{ meta: string; trace: Trace | null }> = { meta: '', trace: null };

/** The trace in an event's meta; null when it has none. Events of one request carry the same meta, text for text: parsed once. */
export const traceOfMeta = (meta: string): Trace | null => {
  if (!meta.includes('"traceparent"')) return null;
  if (meta !== last.meta) last = { meta, trace: parse(meta) };
  return last.trace;
};

const parse = (text: string): Trace | null => {
  const meta = JSON.parse(text) as Partial<EventMeta> | null;
  return readTrace(meta?.traceparent, meta?.tracestate);
};

/** The trace that all events are of; null when they are of several, or one is of none: then each event speaks for itself. */
export const sharedTrace = (events: readonly Pick<StoredEvent, 'meta'>[]): Trace | null => {
  const [first] = events;
  const trace = first === undefined ? null : traceOfMeta(first.meta);
  if (trace === null) return null;
  return events.every(({ meta }) => traceOfMeta(meta)?.traceparent === trace.traceparent) ? trace : null;
};

/** Adds W3C trace context to the headers of a message. */
export const setTrace = (fields: MsgHdrs, trace: Trace | null): void => {
  if (trace === null) return;
  fields.set('traceparent', trace.traceparent);
  if (trace.tracestate !== undefined) fields.set('tracestate', trace.tracestate);
};

/** The trace of whoever sent a message; null when it names none that is valid. */
export const traceOfHeaders = (fields: MsgHdrs | undefined): Trace | null => {
  const traceparent = fields?.get('traceparent');
  return traceparent ? readTrace(traceparent, fields?.get('tracestate')) : null;
};
