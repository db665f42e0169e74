import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, GENESIS, linkOf } from './chain.js';
import { type EncodableEvent, encodedBound, encodeEvents } from './encode-events.js';

const one: EncodableEvent = {
  position: 0x1_0000_0002,
  id: '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0',
  stream: 's',
  revision: 7,
  type: 'Té',
  version: 3,
  contentHash: Uint8Array.from({ length: 32 }, (_, n) => n),
  data: '{}',
  meta: '',
};
const encode = (events: readonly EncodableEvent[], partition = 5): Buffer => {
  const buffer = Buffer.alloc(encodedBound(events));
  return buffer.subarray(0, encodeEvents(buffer, 0, partition, events));
};

describe('the bytes of an event', () => {
  test('are fixed for ever: field count, then length and bytes of each field', () => {
    expect(encode([one]).toString('hex')).toBe(
      [
        '000a',
        '0000000400000005',
        '000000080000000100000002',
        '000000100f1e2d3c4b5a69788796a5b4c3d2e1f0',
        '0000000173',
        '000000080000000000000007',
        '0000000354c3a9',
        '0000000400000003',
        '00000020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
        '000000027b7d',
        '00000000',
      ].join(''),
    );
  });

  test('of several are those of each, one after the other, within the bound', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const any = fc.record({
      position: fc.nat(),
      id: fc.uuid(),
      stream: text,
      revision: fc.nat(),
      type: text,
      version: fc.nat(9),
      contentHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      data: text,
      meta: text,
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 5 }), (events) => {
        const all = encode(events);
        expect(all).toEqual(Buffer.concat(events.map((event) => encode([event]))));
        expect(all.length).toBeLessThanOrEqual(encodedBound(events));
      }),
    );
  });

  test('differ when characters move from one field to the next', () => {
    expect(encode([{ ...one, data: 'ab', meta: 'c' }])).not.toEqual(encode([{ ...one, data: 'a', meta: 'bc' }]));
  });
});

describe('the link', () => {
  const input = { previous: GENESIS, first: 1, recordedMicros: 1_790_000_000_000_001, digest: digestOf(encode([one])) };

  test('is fixed for ever', () => {
    expect(linkOf(input).toString('hex')).toBe('c164efb6923c13253b659f92a08ed85d75ddefa765c119b6bc12b0a7311d97dd');
  });

  test('changes with everything it covers', () => {
    const others = [
      { ...input, previous: digestOf(Buffer.from('x')) },
      { ...input, first: 2 },
      { ...input, recordedMicros: input.recordedMicros + 1 },
      { ...input, digest: digestOf(encode([one], 6)) },
    ];
    expect(new Set([input, ...others].map((each) => linkOf(each).toString('hex'))).size).toBe(5);
  });
});
