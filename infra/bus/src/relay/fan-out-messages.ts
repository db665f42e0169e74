import type { Trace } from '@bursar/contracts';
import { eventsSubject, HEADER, KEPT_INSIDE, MAX_RANGE_BYTES, MAX_RANGE_EVENTS } from '@bursar/contracts/bus';
import { metaOf, type StoredEvent } from '@bursar/event-store';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { toCloudEvent } from '../cloud-event.js';
import { encodedBatch } from '../range-message.js';
import { setTrace, sharedTrace, traceOfMeta } from '../trace.js';

export type FanOutMessage = Readonly<{ subject: string; headers: MsgHdrs; body: Uint8Array }>;

const SUBJECT_TOKEN = /^[^\s.*>]+$/;

/**
 * What the world hears of the events of an append, on `events.<tenant>.<EventType>`: structured CloudEvents, one per
 * message; usage in batches, because there is so much of it. Events of no tenant (holds of a partition) stay inside.
 */
export const fanOutMessages = (events: readonly StoredEvent[]): readonly FanOutMessage[] => {
  const messages: FanOutMessage[] = [];
  const usage = new Map<string, StoredEvent[]>();
  const tenantOf = tenantReader();
  for (const event of events) {
    const tenant = tenantOf(event);
    if (tenant === null) continue;
    if (event.type !== 'UsageRecorded') messages.push(single(tenant, event));
    else usage.set(tenant, [...(usage.get(tenant) ?? []), event]);
  }
  for (const [tenant, ofTenant] of usage) {
    const known = ofTenant.length === events.length ? encodedBatch(events) : null;
    messages.push(...(known === null ? batches(tenant, ofTenant) : [batchOf(tenant, ofTenant, known)]));
  }
  return messages;
};

/** Under an id that depends on nothing but the events: they are of one append. */
const batchOf = (tenant: string, events: readonly StoredEvent[], body: Uint8Array): FanOutMessage => {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('a batch of nothing');
  const id = `events/${last.partition}/${tenant}/${first.position}-${last.position}`;
  return {
    subject: eventsSubject(tenant, last.type),
    headers: headersOf('application/cloudevents-batch+json', id, sharedTrace(events)),
    body,
  };
};

/** Nobody outside hears of it. */
export const isKeptInside = ({ stream, type }: Pick<StoredEvent, 'stream' | 'type'>): boolean =>
  stream.startsWith('holds-') || KEPT_INSIDE.has(type);

const tenantReader = (): ((event: StoredEvent) => string | null) => {
  let last: { meta: string; tenant: string | null } = { meta: '', tenant: null };
  return (event) => {
    if (isKeptInside(event)) return null;
    if (event.meta !== last.meta) {
      const { tenant } = metaOf(event);
      last = { meta: event.meta, tenant: typeof tenant === 'string' && SUBJECT_TOKEN.test(tenant) ? tenant : null };
    }
    return last.tenant;
  };
};

const single = (tenant: string, event: StoredEvent): FanOutMessage => ({
  subject: eventsSubject(tenant, event.type),
  headers: headersOf('application/cloudevents+json', event.id, traceOfMeta(event.meta)),
  body: Buffer.from(toCloudEvent(event)),
});

const batches = (tenant: string, events: readonly StoredEvent[]): readonly FanOutMessage[] => {
  const messages: FanOutMessage[] = [];
  let texts: string[] = [];
  let length = 0;
  let from = 0;
  const flush = (until: number) => {
    if (until > from) messages.push(batchOf(tenant, events.slice(from, until), Buffer.from(`[${texts.join(',')}]`)));
  };
  events.forEach((event, index) => {
    const text = toCloudEvent(event);
    if (texts.length === MAX_RANGE_EVENTS || (texts.length > 0 && length + text.length > MAX_RANGE_BYTES)) {
      flush(index);
      [texts, length, from] = [[], 0, index];
    }
    texts.push(text);
    length += text.length;
  });
  flush(events.length);
  return messages;
};

const headersOf = (contentType: string, id: string, trace: Trace | null): MsgHdrs => {
  const fields = headers();
  fields.set('Content-Type', contentType);
  fields.set(HEADER.messageId, id);
  setTrace(fields, trace);
  return fields;
};
