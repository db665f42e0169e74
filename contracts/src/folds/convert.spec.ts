import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseInstant } from '../values/instant.js';
import { convert } from './convert.js';
import { given, rateSet } from './given.js';

const NOW = Number.POSITIVE_INFINITY;
const AT = parseInstant('2025-01-15T10:00:00Z');
const usd = (picos: bigint): { picos: bigint; currency: string } => ({ picos, currency: 'USD' });

describe('conversion', () => {
  const rates = [
    rateSet(1, 'USD', 'EUR', '0.9', '2025-01-01T00:00:00Z'),
    rateSet(2, 'USD', 'EUR', '0.8', '2025-01-15T10:00:00Z'),
    rateSet(3, 'USD', 'EUR', '0.7', '2025-01-15T10:00:00.000000001Z'),
    rateSet(4, 'GBP', 'USD', '3', '2025-01-01T00:00:00Z'),
  ];

  test.each<[string, bigint, string, number, bigint | 'rate_missing']>([
    ['the same currency needs no rate', 5n, 'USD', 0, 5n],
    ['nothing needs no rate', 0n, 'JPY', 0, 0n],
    ['the latest effective at the moment', 1000n, 'EUR', NOW, 800n],
    ['only rates known at the position', 1000n, 'EUR', 1, 900n],
    ['none known yet', 1000n, 'EUR', 0, 'rate_missing'],
    ['no pair', 1000n, 'JPY', NOW, 'rate_missing'],
    ['the opposite pair, inverted and rounded half-even', 5n, 'GBP', NOW, 2n],
    ['a credit', -1000n, 'EUR', NOW, -800n],
  ])('%s', (_, picos, to, position, expected) => {
    expect(convert(given(...rates), usd(picos), to, AT, position)).toBe(expected);
  });

  test('of two rates for one moment the later set holds, from its position on', () => {
    const definitions = given(...rates, rateSet(9, 'USD', 'EUR', '0.5', '2025-01-15T10:00:00Z'));
    expect(convert(definitions, usd(1000n), 'EUR', AT, 8)).toBe(800n);
    expect(convert(definitions, usd(1000n), 'EUR', AT, 9)).toBe(500n);
  });

  test.each([
    [5n, '0.1', 0n],
    [15n, '0.1', 2n],
    [25n, '0.1', 2n],
    [35n, '0.1', 4n],
    [26n, '0.1', 3n],
  ])('%s × %s is %s: ties go to even', (picos, rate, expected) => {
    expect(convert(given(rateSet(1, 'USD', 'EUR', rate, '2025-01-01T00:00:00Z')), usd(picos), 'EUR', AT, NOW)).toBe(expected);
  });

  test('the rate in force is the one a walk over all of them finds', () => {
    const instants = fc.constantFrom('2025-01-01T00:00:00Z', '2025-01-10T00:00:00Z', '2025-01-15T10:00:00Z', '2025-01-20T00:00:00Z');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 99 }), instants), { maxLength: 8 }), fc.nat(8), (all, position) => {
        const events = all.map(([rate, from], index) => rateSet(index + 1, 'USD', 'EUR', String(rate), from));
        let expected: [bigint, number] | undefined;
        for (const [rate, from] of all.slice(0, position)) {
          const effective = parseInstant(from);
          if (effective <= AT && (expected === undefined || effective >= expected[0])) expected = [effective, rate];
        }
        const converted = convert(given(...events.toReversed()), usd(10n), 'EUR', AT, position);
        expect(converted).toBe(expected === undefined ? 'rate_missing' : BigInt(expected[1]) * 10n);
      }),
    );
  });
});
