import { describe, expect, test } from '@jest/globals';
import { parseInt8, parseTimestamp } from './types.js';

describe('types read from PostgreSQL', () => {
  test.each([
    ['2025-01-15 10:00:00+00', '2025-01-15T10:00:00Z'],
    ['2025-01-15 10:00:00.1+00', '2025-01-15T10:00:00.100Z'],
    ['2025-01-15 10:00:00.123+00', '2025-01-15T10:00:00.123Z'],
    ['2025-01-15 10:00:00.1234+00', '2025-01-15T10:00:00.123400Z'],
    ['2025-01-15 10:00:00.000001+00', '2025-01-15T10:00:00.000001Z'],
  ])('timestamptz %s is %s', (text, expected) => expect(parseTimestamp(text)).toBe(expected));

  test('a timestamp of another zone is refused, never misread', () => {
    expect(() => parseTimestamp('2025-01-15 10:00:00+01')).toThrow(RangeError);
  });

  test('an int8 that a number cannot hold is refused, never rounded', () => {
    expect(parseInt8('9007199254740991')).toBe(9007199254740991);
    expect(() => parseInt8('9007199254740993')).toThrow(RangeError);
  });
});
