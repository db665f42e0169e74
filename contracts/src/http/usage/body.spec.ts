import { describe, expect, test } from '@jest/globals';
import { isBinaryCloudEvent, toStructured } from './binary.js';
import { readUsageBody, type UsageBodyReading, type UsageMode } from './body.js';

const event = { id: 'a', source: 's', scopes: ['team:ml'], cost: { amount: '1', currency: 'USD' } };
const { id: _id, source: _source, ...data } = event;
const envelope = { specversion: '1.0', type: 'bursar.usage.v1', id: 'a', source: 's', time: '2026-01-15T10:00:00Z', data };

const read = (mode: UsageMode, body: unknown): UsageBodyReading =>
  readUsageBody(mode, body, (bytes) => (bytes.at(0) === 0x7b ? JSON.parse(bytes.toString()) : undefined));

/** `400 code`, or the code of each item (`ok` when it was read). */
const codes = (reading: UsageBodyReading): string =>
  reading.ok ? reading.items.map((item) => ('problem' in item ? item.problem.code : 'ok')).join() : `400 ${reading.problem.code}`;

describe('a plain JSON body', () => {
  test.each([
    ['IN-A8', [], '400 not_an_object'],
    ['IN-A8', null, '400 not_an_object'],
    ['IN-A8', 7, '400 not_an_object'],
    ['IN-A15', { events: Array.from({ length: 1001 }, () => event) }, '400 batch_size'],
    ['IN-A15', { events: [] }, '400 batch_size'],
    ['IN-A15', { events: {} }, '400 batch_size'],
    ['IN-C8', { events: [event], tenant_id: 'x' }, '400 unknown_field'],
    ['one', event, 'ok'],
    ['one bad, alone', { ...event, id: '' }, 'text_format'],
    ['no object', { events: [event, 1, null, event] }, 'ok,wrong_type,wrong_type,ok'],
  ])('%s %j: %s', (_row, body, expected) => expect(codes(read('json', body))).toBe(expected));

  test('IN-A16 one bad event among a thousand is refused alone, in its place', () => {
    const events: unknown[] = Array.from({ length: 1000 }, (_, n) => ({ ...event, id: `e${n}` }));
    events[500] = { ...event, id: 'bad', cost: { amount: '-1' } };
    const reading = read('json', { events });
    if (!reading.ok) throw new Error(reading.problem.detail);
    expect(reading.items.filter((item) => 'problem' in item)).toEqual([
      expect.objectContaining({ id: 'bad', source: 's', problem: expect.objectContaining({ code: 'negative' }) }),
    ]);
    expect(reading.items[500]).toHaveProperty('problem');
  });

  test('an id that was refused is not repeated', () => {
    const reading = read('json', { ...event, id: 'x'.repeat(300) });
    expect(reading).toMatchObject({ ok: true, items: [{ id: null, source: 's' }] });
  });
});

describe('a CloudEvent', () => {
  test.each(['specversion', 'id', 'source', 'type'])('without %s is no body at all', (name) => {
    expect(codes(read('cloudevent', { ...envelope, [name]: undefined }))).toBe('400 cloudevent_attribute');
  });

  test.each([
    ['IN-E2', { ...envelope, type: 'com.example.other' }, 'unknown_type'],
    ['data', { ...envelope, data: undefined }, 'required'],
    ['data', { ...envelope, data: '{}' }, 'wrong_type'],
    ['data', { ...envelope, data: { ...data, id: 'a' } }, 'ok'],
    ['data', { ...envelope, data: { ...data, id: 'b' } }, 'exclusive'],
    ['data', { ...envelope, data: { ...data, colour: 'red' } }, 'unknown_field'],
    ['version', { ...envelope, specversion: '0.3' }, 'not_allowed'],
    ['content', { ...envelope, datacontenttype: 'text/xml' }, 'not_allowed'],
    ['content', { ...envelope, datacontenttype: 'application/json; charset=utf-8' }, 'ok'],
    ['extension', { ...envelope, partitionkey: 'x', anything: 1 }, 'ok'],
    ['null', { ...envelope, time: null, subject: null, dataschema: null }, 'ok'],
    ['null', { ...envelope, data: null }, 'required'],
    ['time', { ...envelope, time: 'yesterday' }, 'time_format'],
  ])('%s %j: %s', (_what, body, expected) => expect(codes(read('cloudevent', body))).toBe(expected));

  test('data as bytes is the data that they hold', () => {
    const { data: _data, ...attributes } = envelope;
    const encoded = (text: string) => ({ ...attributes, data_base64: Buffer.from(text).toString('base64') });
    expect(read('cloudevent', encoded(JSON.stringify(data)))).toEqual(read('cloudevent', envelope));
    expect(codes(read('cloudevent', encoded('x')))).toBe('wrong_type');
    expect(codes(read('cloudevent', { ...attributes, data_base64: '%' }))).toBe('wrong_type');
    expect(codes(read('cloudevent', { ...envelope, data_base64: 'e30=' }))).toBe('exclusive');
    expect(codes(read('cloudevent', attributes))).toBe('required');
  });

  test('its envelope gives id, source and time, and its subject the first scope', () => {
    const reading = read('cloudevent', { ...envelope, subject: 'user:alice' });
    expect(reading).toMatchObject({
      items: [{ sent: { id: 'a', source: 's', occurredAt: '2026-01-15T10:00:00Z', scopes: ['user:alice', 'team:ml'] } }],
    });
    expect(read('cloudevent', { ...envelope, subject: 'no scope' })).toMatchObject({ items: [{ sent: { scopes: ['team:ml'] } }] });
  });

  test('pointers point into the envelope', () => {
    const reading = read('cloudevent', { ...envelope, time: 'x', data: { ...data, scopes: [1] } });
    expect(reading).toMatchObject({ items: [{ problem: { errors: [{ pointer: '/time' }, { pointer: '/data/scopes/0' }] } }] });
  });

  test('in a batch each stands alone, and one that is no CloudEvent spoils it', () => {
    expect(codes(read('cloudevent-batch', [envelope, { ...envelope, type: 'x' }, envelope]))).toBe('ok,unknown_type,ok');
    expect(codes(read('cloudevent-batch', [envelope, { ...envelope, id: undefined }]))).toBe('400 cloudevent_attribute');
    expect(codes(read('cloudevent-batch', [envelope, 1]))).toBe('400 not_an_object');
    expect(codes(read('cloudevent-batch', []))).toBe('400 batch_size');
    expect(codes(read('cloudevent-batch', envelope))).toBe('400 batch_size');
  });

  test('a valid trace of the envelope is handed on, in structured and in binary mode; one that is not is ignored', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const trace = { traceparent, tracestate: 'a=1' };
    const itemOf = (extensions: object) => {
      const reading = read('cloudevent', { ...envelope, ...extensions });
      return reading.ok ? reading.items[0] : reading;
    };
    expect(itemOf(trace)).toMatchObject({ trace });
    expect(itemOf({ traceparent, tracestate: 'A' })).toMatchObject({ trace: { traceparent } });
    for (const bad of [{ traceparent: 'x' }, { traceparent: 7 }, { traceparent: null }, { tracestate: 'a=1' }]) {
      expect(itemOf(bad)).toMatchObject({ sent: {} });
      expect(itemOf(bad)).not.toHaveProperty('trace');
    }
    const headers = {
      'ce-specversion': '1.0',
      'ce-type': 'bursar.usage.v1',
      'ce-id': 'a',
      'ce-source': 's',
      'ce-traceparent': traceparent,
    };
    expect(read('cloudevent', toStructured(headers, data))).toMatchObject({ items: [{ trace: { traceparent } }] });
  });

  test('binary mode is the same event', () => {
    const headers = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': 'bursar.usage.v1',
      'ce-id': 'a%20%C3%A9',
      'ce-source': 's',
      'ce-time': '2026-01-15T10:00:00Z',
      'ce-data': 'never',
      traceparent: 'x',
    };
    expect(isBinaryCloudEvent(headers)).toBe(true);
    expect(isBinaryCloudEvent({ 'content-type': 'application/json' })).toBe(false);
    expect(read('cloudevent', toStructured(headers, data))).toMatchObject({
      items: [{ sent: { id: 'a é', scopes: ['team:ml'] } }],
    });
  });
});
