import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sseEvent } from './sse.js';
import { formatCursor, readCursor } from './stream-cursor.js';

describe('the place of a live stream', () => {
  test('is read as it was given out', () => {
    const position = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999 }), position, position, (partition, balances, alerts) => {
        expect(readCursor(formatCursor({ partition, balances, alerts }))).toEqual({ partition, balances, alerts });
      }),
    );
  });
  test.each(['', '1:2', '1:2:3:4', '-1:0:0', '01:0:0', '1:2:x', '1:2:99999999999999999', ' 1:2:3'])('%p is none', (text) => {
    expect(readCursor(text)).toBeNull();
  });
});

test('an event is one block, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const text = sseEvent({ topic: 'alerts', scope: null, data: { name } }, '1:2:3');
      expect(text.split('\n')).toEqual(['id: 1:2:3', 'event: alert', `data: ${JSON.stringify({ name })}`, '', '']);
    }),
  );
});
