import { z } from 'zod';
import { HEADER, NOT_YET } from '../index.js';

/** NATS headers as fields of a message's `headers` schema. Header names are sent in just this spelling. */
const text = (description: string, keywords: Readonly<Record<string, unknown>> = {}) => z.string().meta({ description, ...keywords });

export const traceparent = text('W3C Trace Context: the trace that led to this', {
  pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
  examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
});
export const tracestate = text('W3C Trace Context: what tracing systems added', { maxLength: 512 });

/** On what others send: understood when valid, ignored when not. */
export const receivedHeaders = (contentType: string | null) =>
  z.looseObject({
    'Content-Type': contentType === null ? z.string().optional() : z.literal(contentType),
    traceparent: traceparent.optional(),
    tracestate: tracestate.optional(),
  });

/** On a request that is answered from what has been folded: read your writes, as over HTTP. */
export const readHeaders = receivedHeaders('application/json')
  .extend({
    [HEADER.minPosition]: text('Answer once this is folded: `<partition>:<position>`', { pattern: '^[0-9]{1,5}:[0-9]{1,16}$' }),
    [HEADER.audience]: text('`user`: the answer says nothing of budgets that are not visible to users', { examples: ['user'] }),
    Prefer: text('`wait=N`: seconds to wait for it, 7 at most; without it, or past it, the answer is a 202', { examples: ['wait=5'] }),
  })
  .partial();

/** On a message of which every event is of one trace; else the events' own attributes tell. */
const traced = { traceparent: traceparent.optional(), tracestate: tracestate.optional() };

export const sentHeaders = (contentType: string, messageId: string) =>
  z.looseObject({ 'Content-Type': z.literal(contentType), [HEADER.messageId]: text(messageId), ...traced });

const position = (description: string) => text(description, { pattern: '^[1-9][0-9]{0,15}$' });

export const rangeHeaders = (contentType: string) =>
  sentHeaders(contentType, '`ledger/<partition>/<first>-<last>`').extend({
    [HEADER.firstPosition]: position('Position of the first event'),
    [HEADER.lastPosition]: position('Position of the last event'),
    [HEADER.link]: text('The hash chain’s link at the last position, hex', { pattern: '^[0-9a-f]{64}$' }),
  });

export const rejectedHeaders = z.looseObject({
  [HEADER.reason]: text('Problem codes, separated by commas', { pattern: '^[a-z_]+(,[a-z_]+)*$', examples: ['bad_json'] }),
  [HEADER.messageId]: text('`<stream>-<sequence>-<timestamp>` of the message that was refused'),
  'Content-Type': z.string().optional(),
});

export const positionHeaders = z.looseObject({
  'Content-Type': z.literal('application/json'),
  'Bursar-Position': text('`<partition>:<position>` from which on all events of the request are in the ledger').optional(),
});

export const problemHeaders = z.looseObject({
  'Content-Type': z.literal('application/problem+json'),
  'Nats-Service-Error-Code': text('The problem’s status', { pattern: '^[45][0-9]{2}$' }),
  'Nats-Service-Error': text('The problem’s code'),
});

/** A reply that is no decision carries the headers of an error, so that no client takes it for one. */
export const notYetHeaders = z.looseObject({
  'Content-Type': z.literal('application/json'),
  'Nats-Service-Error-Code': z.literal('202'),
  'Nats-Service-Error': z.literal(NOT_YET),
  'Retry-After': text('Seconds', { pattern: '^[0-9]+$' }),
  'Bursar-Position': text('`<partition>:<position>` that has been folded'),
});
