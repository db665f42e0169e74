import type { StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromBatch, fromCloudEvent, MalformedEventError, toBatch, toCloudEvent } from './cloud-event.js';

const storedEvent: fc.Arbitrary<StoredEvent> = fc.record({
  partition: fc.nat({ max: 65_535 }),
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  stream: fc.string({ unit: 'grapheme' }),
  revision: fc.maxSafeNat(),
  id: fc.uuid(),
  type: fc.constantFrom('UsageRecorded', 'BudgetCreated'),
  version: fc.integer({ min: 1, max: 9 }),
  // Stored texts keep whatever spacing and escapes they came with.
  data: fc.tuple(fc.json(), fc.constantFrom('', ' ')).map(([json, space]) => `${json}${space}`),
  meta: fc.json(),
  contentHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  recordedAt: fc.constant('2025-01-15T10:00:00.000001Z'),
});

describe('stored events as CloudEvents', () => {
  test('come back with every byte they had', () => {
    fc.assert(
      fc.property(storedEvent, (event) => {
        expect(fromCloudEvent(toCloudEvent(event))).toEqual(event);
      }),
    );
  });

  test('come back in order from a batch', () => {
    fc.assert(
      fc.property(fc.array(storedEvent, { maxLength: 5 }), (events) => {
        expect(fromBatch(toBatch(events))).toEqual(events);
      }),
    );
  });

  test('are CloudEvents to everybody else', () => {
    fc.assert(
      fc.property(storedEvent, (event) => {
        const [parsed] = JSON.parse(toBatch([event]));
        expect(parsed).toMatchObject({ specversion: '1.0', id: event.id, type: event.type, subject: event.stream, time: event.recordedAt });
        expect(parsed.data).toEqual(JSON.parse(event.data));
        for (const name of Object.keys(parsed)) expect(name).toMatch(/^[a-z0-9]+$/);
      }),
    );
  });
});

describe('what is no batch of ours is refused, never half read', () => {
  const good = toBatch([event('{"a":1}'), event('{"b":2}')]);

  test.each([
    ['nothing', ''],
    ['not JSON', 'hello'],
    ['an object', '{}'],
    ['an array of something else', '[1]'],
    ['a foreign CloudEvent', '[{"specversion":"1.0","id":"1","source":"x","type":"t","data":{}}]'],
    ['a batch cut short', good.slice(0, -5)],
    ['a batch with a tail', `${good} `],
    ['a length that lies', good.replace('"datalength":7', '"datalength":9')],
    ['a length of zero', good.replace('"datalength":7', '"datalength":0')],
    ['a length that is no number', good.replace('"datalength":7', '"datalength":"7"')],
    ['a position that is no number', good.replace('"position":"1"', '"position":"-1"')],
    ['an id that is no UUID', good.replace('"id":"0', '"id":"x')],
    ['a version that does not fit', good.replace('"schemaversion":1', '"schemaversion":4294967297')],
    ['a hash cut short', good.replace('"contenthash":"A', '"contenthash":"')],
    ['half a surrogate pair', good.replace('"subject":"', '"subject":"\\ud800')],
    ['another source', good.replace('/bursar/ledger/3', '/elsewhere/3')],
  ])('%s', (_, text) => {
    expect(() => fromBatch(text)).toThrow(MalformedEventError);
  });

  test('any text at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(good.length), (noise, at) => {
        const text = good.slice(0, at) + noise + good.slice(at);
        try {
          fromBatch(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedEventError);
        }
      }),
    );
  });
});

function event(data: string): StoredEvent {
  return {
    partition: 3,
    position: 1,
    stream: 'usage-acme',
    revision: 0,
    id: '00000000-0000-8000-8000-000000000000',
    type: 'UsageRecorded',
    version: 1,
    data,
    meta: '{"tenant":"acme"}',
    contentHash: Buffer.alloc(32),
    recordedAt: '2025-01-15T10:00:00.000001Z',
  };
}
