import type { StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { fromBatch, fromCloudEvent, toBatch, toCloudEvent } from './cloud-event.js';
import { toRangeMessage } from './range-message.js';
import { fanOutMessages } from './relay/fan-out-messages.js';
import { setTrace, traceOfHeaders } from './trace.js';

const ONE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const OTHER = '00-11111111111111111111111111111111-2222222222222222-01';
const STATE = 'congo=t61rcWkgMzE,rojo="q"';

const event = (position: number, trace: object = {}, type = 'UsageRecorded'): StoredEvent => ({
  partition: 3,
  position,
  stream: 'usage-acme',
  revision: position - 1,
  id: `00000000-0000-8000-8000-00000000000${position}`,
  type,
  version: 1,
  data: '{"a":1}',
  meta: JSON.stringify({ tenant: 'acme', ...trace }),
  contentHash: Buffer.alloc(32),
  recordedAt: '2025-01-15T10:00:00.000001Z',
});
const rangeHeaders = (events: readonly StoredEvent[]) =>
  toRangeMessage({ partition: 3, first: 1, last: events.length, link: Buffer.alloc(32), events }).headers;

describe('an event that was caused in a trace', () => {
  const traced = event(1, { traceparent: ONE, tracestate: STATE });

  test('says so in CloudEvents extensions, and comes back as it was', () => {
    expect(JSON.parse(toCloudEvent(traced))).toMatchObject({ traceparent: ONE, tracestate: STATE });
    expect(fromCloudEvent(toCloudEvent(traced))).toEqual(traced);
    const batch = [event(1), traced, event(3, { traceparent: OTHER })];
    expect(JSON.parse(toBatch(batch)).map((one: { traceparent?: string }) => one.traceparent)).toEqual([undefined, ONE, OTHER]);
    expect(fromBatch(toBatch(batch))).toEqual(batch);
  });

  test('alone says so in the headers of its messages too', () => {
    for (const fields of [
      rangeHeaders([traced]),
      ...fanOutMessages([traced, event(2, { traceparent: ONE }, 'ScopeMoved')]).map((m) => m.headers),
    ]) {
      expect(fields.get('traceparent')).toBe(ONE);
    }
    expect(rangeHeaders([traced]).get('tracestate')).toBe(STATE);
  });
});

test.each([
  ['none', [event(1)], ''],
  ['one', [event(1, { traceparent: ONE }), event(2, { traceparent: ONE })], ONE],
  ['several', [event(1, { traceparent: ONE }), event(2, { traceparent: OTHER })], ''],
  ['one and none', [event(1, { traceparent: ONE }), event(2)], ''],
  ['none and one', [event(1), event(2, { traceparent: ONE })], ''],
])('a message with events of %s: no trace is claimed for an event that is not of it', (_what, events, traceparent) => {
  expect(rangeHeaders(events).get('traceparent')).toBe(traceparent);
  expect(fanOutMessages(events).map((message) => message.headers.get('traceparent'))).toEqual([traceparent]);
});

test('two batches of a tenant each tell their own trace', () => {
  const events = Array.from({ length: 600 }, (_, index) => ({
    ...event(1, { traceparent: index < 500 ? ONE : OTHER }),
    position: index + 1,
  }));
  const messages = fanOutMessages(events);
  expect(messages.map(({ headers: fields }) => [fields.get('traceparent'), fields.get('Nats-Msg-Id')])).toEqual([
    [ONE, 'events/3/acme/1-500'],
    [OTHER, 'events/3/acme/501-600'],
  ]);
});

test.each([
  ['nothing of the kind', '{"tenant":"acme"}'],
  ['no trace', '{"traceparent":"x"}'],
  ['no object', '"\\"traceparent\\""'],
  ['null', 'null'],
])('meta with %s makes no extension', (_what, meta) => {
  const text = toCloudEvent({ ...event(1), meta });
  expect(Object.keys(JSON.parse(text))).not.toContain('traceparent');
  expect(fromCloudEvent(text).meta).toBe(meta);
});

describe('headers of a message', () => {
  test('carry a trace and its state there and back', () => {
    const fields = headers();
    setTrace(fields, { traceparent: ONE, tracestate: STATE });
    expect(traceOfHeaders(fields)).toEqual({ traceparent: ONE, tracestate: STATE });
  });

  test.each([undefined, '', 'x', ONE.toUpperCase()])('%s is no trace', (text) => {
    const fields = headers();
    if (text !== undefined) fields.set('traceparent', text);
    expect(traceOfHeaders(fields)).toBeNull();
    expect(traceOfHeaders(undefined)).toBeNull();
  });
});
