import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { canonicalJson, contentHash } from './canonical.js';
import { divideHalfEven, formatDecimal, readDecimal } from './decimal.js';
import { fnv1a32, partitionOf, usageEventId } from './ids.js';
import { formatInstant, parseInstant, readInstant } from './instant.js';
import { formatPicos, InexactNumber, isCurrency, parsePicos, readAmount } from './money.js';
import { readScope } from './scope.js';

describe('amounts', () => {
  test.each([
    ['IN-B2', '1e5', 'amount_format'],
    ['IN-B3', '-0', 'amount_format'],
    ['IN-B3', '-0.00', 'amount_format'],
    ['IN-B3', -0, 'amount_format'],
    ['IN-B1', Number.POSITIVE_INFINITY, 'amount_format'],
    ['IN-B2', new InexactNumber('1e5'), 'amount_format'],
    ['IN-B5', 'NaN', 'amount_format'],
    ['IN-B5', '', 'amount_format'],
    ['IN-B5', ' ', 'amount_format'],
    ['IN-B7', 9007199254740992, 'unsafe_integer'],
    ['IN-B7', new InexactNumber('9007199254740993'), 'unsafe_integer'],
    ['IN-B7', new InexactNumber('0.1000000000000000055'), 'unsafe_integer'],
    ['IN-B7', new InexactNumber(`1${'0'.repeat(1_000_000)}1`), 'unsafe_integer'],
    ['IN-B3', new InexactNumber('-0.0'), 'amount_format'],
    ['IN-B1', new InexactNumber('1e400'), 'amount_format'],
    ['IN-B8', '0x10', 'amount_format'],
    ['IN-B8', ' 12 ', 'amount_format'],
    ['IN-B9', '1_000', 'amount_format'],
    ['IN-B9', '1,000', 'amount_format'],
    ['IN-B9', '١', 'amount_format'],
    ['IN-B9', '１２', 'amount_format'],
    ['IN-B10', '+1', 'amount_format'],
    ['IN-B10', '01', 'amount_format'],
    ['IN-B10', '.5', 'amount_format'],
    ['IN-B10', '5.', 'amount_format'],
    ['IN-B11', '0.1234567890123', 'scale'],
    ['IN-B11', 1e-13, 'scale'],
    ['IN-B11', 5e-324, 'scale'],
    ['IN-B13', 1e300, 'too_large'],
    ['IN-B13', '9'.repeat(100_000), 'too_large'],
    ['IN-B18', true, 'amount_format'],
    ['IN-B18', [1], 'amount_format'],
    ['IN-B18', {}, 'amount_format'],
    ['IN-B18', null, 'amount_format'],
  ] as const)('%s %p is %s', (_row, value, problem) => {
    expect(readAmount(value)).toBe(problem);
  });

  test('IN-B6 a JSON number of at most 15 significant digits is its shortest decimal', () => {
    expect(readAmount(0.1)).toBe(parsePicos('0.1'));
    expect(readAmount(123456789012345)).toBe(123456789012345n * 10n ** 12n);
  });

  test('IN-B6 however String() would write it: an exponent was none in the source', () => {
    const literal = fc
      .tuple(fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }), fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 20 }))
      .map(([digits, point, zeros]) => formatDecimal(digits * 10n ** BigInt(zeros), point));
    fc.assert(
      fc.property(literal, (text) => {
        expect(readAmount(JSON.parse(text), 24)).toBe(readDecimal(text, 24));
      }),
    );
    expect(readAmount(0.00000000001)).toBe(10n);
    expect(readAmount(-0.000000000012)).toBe(-12n);
    expect(readAmount(1e24)).toBe(10n ** 36n);
  });

  test('IN-B15 a tenth and a fifth ten million times are exactly three million', () => {
    expect(formatPicos((parsePicos('0.1') + parsePicos('0.2')) * 10_000_000n)).toBe('3000000');
  });

  test('IN-B16 sums past 64 bits are exact', () => {
    const most = parsePicos('1000000000000');
    expect(most > 2n ** 63n).toBe(true);
    expect(formatPicos(most * 1_000_003n + 1n)).toBe('1000003000000000000.000000000001');
  });

  test('picos of either sign come back from their text, which is the shortest there is', () => {
    const small = fc.bigInt({ min: -2n * 10n ** 12n, max: 2n * 10n ** 12n });
    const large = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    const round = fc
      .tuple(fc.bigInt({ min: -1_000n, max: 1_000n }), fc.integer({ min: 0, max: 15 }))
      .map(([n, zeros]) => n * 10n ** BigInt(zeros));
    fc.assert(
      fc.property(fc.oneof(small, large, round), (picos) => {
        const text = formatPicos(picos);
        expect(parsePicos(text)).toBe(picos);
        expect(text).toMatch(/^(?:0|-?(?!0$)(?:0|[1-9][0-9]*)(?:\.[0-9]{0,11}[1-9])?)$/);
        expect(formatPicos(-picos)).toBe(picos === 0n ? '0' : picos < 0n ? text.slice(1) : `-${text}`);
      }),
      { numRuns: 1_000 },
    );
  });

  test('text and value round-trip at any scale', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 24 }), (value, scale) => {
        expect(readDecimal(formatDecimal(value, scale), scale)).toBe(value);
      }),
    );
  });

  test('what is read digit by digit and what is read by the pattern, which a sign brings about, are the same', () => {
    const near = fc.string({ unit: fc.constantFrom('0', '0', '1', '2', '5', '9', '.', ' ', 'e', '+'), maxLength: 20 });
    fc.assert(
      fc.property(near, fc.constantFrom(0, 2, 12, 24), (text, scale) => {
        const [plain, negative] = [readDecimal(text, scale), readDecimal(`-${text}`, scale)];
        if (plain === 0n) expect(negative).toBe('amount_format');
        else expect(negative).toBe(typeof plain === 'bigint' ? -plain : plain);
      }),
      {
        numRuns: 5_000,
        examples: [
          ['999.999999999999', 12],
          ['1000', 12],
          ['0.1', 12],
          ['00', 0],
          ['1.', 2],
          ['', 0],
          ['100000000000000', 0],
        ],
      },
    );
  });

  test('half-even division is within half a unit and even on ties, for either sign', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.bigInt({ min: 1n, max: 10n ** 10n }), (numerator, denominator) => {
        const quotient = divideHalfEven(numerator, denominator);
        const twice = 2n * (numerator - quotient * denominator);
        const distance = twice < 0n ? -twice : twice;
        expect(distance <= denominator).toBe(true);
        if (distance === denominator) expect(quotient % 2n).toBe(0n);
      }),
    );
    expect(divideHalfEven(5n, 2n)).toBe(2n);
    expect(divideHalfEven(-7n, 2n)).toBe(-4n);
  });

  test('IN-B19 currencies are upper-case ISO 4217 codes of money', () => {
    expect(['USD', 'EUR', 'JPY', 'KWD'].every(isCurrency)).toBe(true);
    expect(['usd', 'USD ', 'US$', 'ZZZ', 'XAU', 'XXX', ''].some(isCurrency)).toBe(false);
  });
});

describe('instants', () => {
  test.each([
    ['IN-D1', '2026-02-30T00:00:00Z', 'time_format'],
    ['IN-D2', '2026-03-08T02:30:00', 'offset_required'],
    ['IN-D5', '0000-01-01T00:00:00Z', 'time_range'],
    ['IN-D5', '9999-01-01T00:00:00Z', 'time_range'],
    ['IN-D5', '10000-01-01T00:00:00Z', 'time_format'],
    ['IN-D5', '+275761-01-01T00:00:00Z', 'time_format'],
    ['IN-D6', 1764000000, 'time_format'],
    ['IN-D6', '1764000000', 'time_format'],
    ['IN-D7', '2026-06-30T23:59:60Z', 'time_format'],
    ['IN-D7', '2026-06-30T24:00:00Z', 'time_format'],
    ['IN-D7', '2026-06-30T10:00:00+24:00', 'time_format'],
  ] as const)('%s %p is %s', (_row, value, problem) => {
    expect(readInstant(value)).toBe(problem);
  });

  test('what is read digit by digit and what is read by the pattern, which a small z brings about, are the same', () => {
    const upTo = (max: number, width: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(width, '0'));
    const time = fc.tuple(
      upTo(9999, 4),
      upTo(14, 2),
      upTo(33, 2),
      upTo(25, 2),
      upTo(61, 2),
      upTo(61, 2),
      fc.string({ unit: fc.constantFrom('0', '1', '5', '9', 'x'), maxLength: 10 }),
    );
    fc.assert(
      fc.property(time, ([y, mo, d, h, mi, s, fraction]) => {
        const text = `${y}-${mo}-${d}T${h}:${mi}:${s}${fraction === '' ? '' : `.${fraction}`}`;
        expect(readInstant(`${text}Z`)).toBe(readInstant(`${text}z`));
      }),
      {
        numRuns: 10_000,
        examples: [
          [['2024', '02', '29', '23', '59', '59', '999999999']],
          [['2023', '02', '29', '00', '00', '00', '']],
          [['1970', '01', '01', '00', '00', '00', '1']],
        ],
      },
    );
  });

  test('an offset is answered in UTC and every nanosecond is kept', () => {
    expect(formatInstant(parseInstant('2026-11-25T01:00:00.5+02:30'))).toBe('2026-11-24T22:30:00.500Z');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: parseInstant('9990-01-01T00:00:00Z') }), (ns) => {
        expect(parseInstant(formatInstant(ns))).toBe(ns);
      }),
    );
  });

  test('any moment of years 0 to 9999 is written as Temporal writes it, also before 1970: no digit of a fraction but in threes', () => {
    const [first, last] = ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z'].map(
      (text) => Temporal.Instant.from(text).epochNanoseconds,
    );
    const exact = fc.bigInt({ min: first ?? 0n, max: last ?? 0n });
    // Among all nanoseconds hardly one is a round one.
    const round = fc.tuple(exact, fc.constantFrom(1_000n, 1_000_000n, 1_000_000_000n)).map(([ns, unit]) => ns - (ns % unit));
    const around1970 = fc.bigInt({ min: -3_000_000_000n, max: 3_000_000_000n });
    fc.assert(
      fc.property(fc.oneof(exact, round, around1970), (ns) => {
        const temporal = Temporal.Instant.fromEpochNanoseconds(ns);
        const text = formatInstant(ns);
        expect(Temporal.Instant.from(text).epochNanoseconds).toBe(ns);
        const digits = ([0, 3, 6, 9] as const).find((count) => ns % 10n ** BigInt(9 - count) === 0n) ?? 9;
        expect(text).toBe(temporal.toString({ fractionalSecondDigits: digits }));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('scopes', () => {
  test('text and object forms give the same canonical text; the id may hold colons', () => {
    expect(readScope('team:ml')).toBe('team:ml');
    expect(readScope({ type: 'team', id: 'ml' })).toBe('team:ml');
    expect(readScope('key:sk:prod:1')).toBe('key:sk:prod:1');
    expect(readScope({ type: 'user', id: '__proto__' })).toBe('user:__proto__');
  });

  test.each([
    '',
    'team',
    'team:',
    'Team:ml',
    'team:a\nb',
    'team:a\u0000',
    'team:\ud800',
    `team:${'x'.repeat(129)}`,
    'team:   ',
    7,
    null,
    { type: 'team' },
    { type: 'team', id: 'a', x: 1 },
  ])('IN-C1 IN-C2 %p is no scope', (value) => {
    expect(readScope(value)).toBeNull();
  });

  test('IN-C16 length is counted in characters', () => {
    expect(readScope(`user:${'😀'.repeat(128)}`)).not.toBeNull();
    expect(readScope(`user:${'😀'.repeat(129)}`)).toBeNull();
  });
});

describe('identity', () => {
  test('IN-C20 key order and white space do not change the content hash, values do', () => {
    expect(contentHash({ a: '1', b: { d: 1, c: [1, 2] } })).toEqual(contentHash({ b: { c: [1, 2], d: 1 }, a: '1' }));
    expect(contentHash({ a: '1' })).not.toEqual(contentHash({ a: '2' }));
    expect(canonicalJson({ b: undefined, a: [undefined, 'x'] })).toBe('{"a":[null,"x"]}');
  });

  test('IN-C20 the canonical JSON keeps the value and has every key in order, whatever order they came in', () => {
    const isOrdered = (value: unknown): boolean => {
      if (typeof value !== 'object' || value === null) return true;
      const keys = Object.keys(value).filter((key) => !/^[0-9]+$/.test(key)); // JavaScript itself puts whole numbers first
      return keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') < key) && Object.values(value).every(isOrdered);
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(isOrdered(JSON.parse(text))).toBe(true);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
    expect(canonicalJson({ b: 1, a: { toJSON: () => ({ d: 1, c: new Date(0) }) } })).toBe(
      '{"a":{"c":"1970-01-01T00:00:00.000Z","d":1},"b":1}',
    );
    expect(canonicalJson({ a: 1, 10: 2, 9: 3 })).toBe('{"10":2,"9":3,"a":1}');
  });

  test('IN-C3 IN-C4 IN-C19 ids that differ by case, composition or source are distinct events', () => {
    const ids = [
      usageEventId('t', 's', 'a'),
      usageEventId('t', 's', 'A'),
      usageEventId('t', 's', '\u00e9'),
      usageEventId('t', 's', 'e\u0301'),
      usageEventId('t', 'x', 'a'),
      usageEventId('u', 's', 'a'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('the partition function is FNV-1a with its published vectors', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
    expect(partitionOf('foobar', 16)).toBe(8);
  });
});
