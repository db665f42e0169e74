import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contentHash } from '../../values/canonical.js';
import { InexactNumber } from '../../values/money.js';
import { parseWith } from '../parse.js';
import { UsageEvent } from './event.js';
import { readUsageFast } from './fast.js';
import { readUsageEvent } from './read.js';
import { completeUsage, type SentUsage } from './sent.js';

const base = { id: 'req-1', source: 'relay', scopes: ['team:ml'], cost: { amount: '1', currency: 'USD' } };
const withQuantities = (quantities: unknown) => ({ id: 'req-1', source: 'relay', scopes: ['team:ml'], quantities });
const cost = (amount: unknown, currency: unknown = 'USD') => ({ ...base, cost: { amount, currency } });
const dimensions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));

const codeOf = (value: unknown): string => {
  const reading = readUsageEvent(value);
  return reading.ok ? 'ok' : reading.problem.code;
};
const sentOf = (value: unknown): SentUsage => {
  const reading = readUsageEvent(value);
  if (!reading.ok) throw new Error(reading.problem.detail);
  return reading.sent;
};

/** RELIABILITY §4: row, the event, what becomes of it. JSON.parse makes the literals a body would hold. */
const ROWS: readonly (readonly [row: string, event: unknown, code: string])[] = [
  ['IN-B1', cost(JSON.parse('1e400')), 'amount_format'],
  ['IN-B1', cost(new InexactNumber('1e400')), 'amount_format'],
  ['IN-B2', cost(new InexactNumber('1e-400')), 'amount_format'],
  ['IN-B2', cost(new InexactNumber('1e5')), 'amount_format'],
  ['IN-B2', cost('1e5'), 'amount_format'],
  ['IN-B3', cost(JSON.parse('-0')), 'amount_format'],
  ['IN-B3', cost('-0'), 'amount_format'],
  ['IN-B3', cost('-0.00'), 'amount_format'],
  ['IN-B4', cost('-1'), 'negative'],
  ['IN-B4', cost(-1), 'negative'],
  ['IN-B5', cost('NaN'), 'amount_format'],
  ['IN-B5', cost('Infinity'), 'amount_format'],
  ['IN-B5', cost('null'), 'amount_format'],
  ['IN-B5', cost(''), 'amount_format'],
  ['IN-B5', cost(' '), 'amount_format'],
  ['IN-B6', cost(0.1), 'ok'],
  ['IN-B7', cost(9007199254740992), 'unsafe_integer'],
  ['IN-B7', cost(new InexactNumber('9007199254740993')), 'unsafe_integer'],
  ['IN-B8', cost('0x10'), 'amount_format'],
  ['IN-B8', cost(' 12 '), 'amount_format'],
  ['IN-B9', cost('1_000'), 'amount_format'],
  ['IN-B9', cost('1,000'), 'amount_format'],
  ['IN-B9', cost('1.000,00'), 'amount_format'],
  ['IN-B9', cost('٣'), 'amount_format'],
  ['IN-B9', cost('１２'), 'amount_format'],
  ['IN-B10', cost('+1'), 'amount_format'],
  ['IN-B10', cost('01'), 'amount_format'],
  ['IN-B10', cost('.5'), 'amount_format'],
  ['IN-B10', cost('5.'), 'amount_format'],
  ['IN-B11', cost('0.1234567890123'), 'scale'],
  ['IN-B11', cost('0.1000000000000'), 'scale'],
  ['IN-B12', cost('1000000000000'), 'ok'],
  ['IN-B12', cost('1000000000000.000000000001'), 'too_large'],
  ['IN-B13', cost('9'.repeat(100_000)), 'too_large'],
  ['IN-B14', cost('0'), 'ok'],
  ['IN-B17', withQuantities({ inputTokens: -5 }), 'negative'],
  ['IN-B17', withQuantities({ inputTokens: 1.5 }), 'not_an_integer'],
  ['IN-B17', withQuantities({ inputTokens: '1.5' }), 'not_an_integer'],
  ['IN-B17', withQuantities({ inputTokens: 2 ** 31 }), 'ok'],
  ['IN-B17', withQuantities({ inputTokens: '9223372036854775807' }), 'ok'],
  ['IN-B17', withQuantities({ inputTokens: '9223372036854775808' }), 'too_large'],
  ['IN-B17', withQuantities({ inputTokens: new InexactNumber('9223372036854775808') }), 'unsafe_integer'],
  ['IN-B18', cost(true), 'amount_format'],
  ['IN-B18', cost([]), 'amount_format'],
  ['IN-B18', cost({}), 'amount_format'],
  ['IN-B18', cost([1]), 'amount_format'],
  ['IN-B18', cost({ toString: 1 }), 'amount_format'],
  ['IN-B18', { ...base, cost: '1' }, 'wrong_type'],
  ['IN-B19', cost('1', 'usd'), 'currency'],
  ['IN-B19', cost('1', 'USD '), 'currency'],
  ['IN-B19', cost('1', 'US$'), 'currency'],
  ['IN-B19', cost('1', 'ZZZ'), 'currency'],
  ['IN-C1', { ...base, id: undefined }, 'required'],
  ['IN-C1', { ...base, id: '' }, 'text_format'],
  ['IN-C1', { ...base, id: 'x'.repeat(256) }, 'ok'],
  ['IN-C1', { ...base, id: 'x'.repeat(257) }, 'too_long'],
  ['IN-C1', { ...base, id: '   ' }, 'text_format'],
  ['IN-C2', { ...base, id: 'a\u0000b' }, 'text_format'],
  ['IN-C2', { ...base, id: 'a\nb' }, 'text_format'],
  ['IN-C2', { ...base, id: 'a\tb' }, 'text_format'],
  ['IN-C2', { ...base, id: 'a\u007f' }, 'text_format'],
  ['IN-C3', { ...base, id: 'e\u0301' }, 'ok'],
  ['IN-C3', { ...base, id: 'a\u200db\u202e' }, 'ok'],
  ['IN-C5', { ...base, id: '__proto__' }, 'ok'],
  ['IN-C5', { ...base, id: 'constructor' }, 'ok'],
  ['IN-C6', { ...base, dimensions: JSON.parse('{"__proto__":"x"}') }, 'forbidden_key'],
  ['IN-C6', withQuantities(JSON.parse('{"__proto__":1}')), 'forbidden_key'],
  ['IN-C6', { ...base, dimensions: { constructor: 'x' } }, 'ok'],
  ['IN-C7', { ...base, colour: 'red' }, 'unknown_field'],
  ['IN-C7', { ...base, cost: { amount: '1', currency: 'USD', tax: 1 } }, 'unknown_field'],
  ['IN-C8', { ...base, tenant_id: 'other' }, 'unknown_field'],
  ['IN-C9', { ...base, dimensions: dimensions(64) }, 'ok'],
  ['IN-C9', { ...base, dimensions: dimensions(65) }, 'too_many'],
  ['IN-C9', { ...base, dimensions: { ['k'.repeat(129)]: 'v' } }, 'too_long'],
  ['IN-C9', { ...base, dimensions: { k: 'v'.repeat(1025) } }, 'too_long'],
  ['IN-C9', { ...base, dimensions: { k: { nested: true } } }, 'wrong_type'],
  ['IN-C10', { ...base, dimensions: { q: `'; drop table x; -- $1 \\ % _` } }, 'ok'],
  ['IN-C11', { ...base, scopes: ['key:a.b > * c'] }, 'ok'],
  ['IN-C13', { ...base, description: '<script>{{7*7}}$\u007bjndi:x}\u001b[0m\r\n' }, 'ok'],
  ['IN-C15', { ...base, id: `${'a'.repeat(50_000)}!` }, 'too_long'],
  ['IN-C15', { ...base, scopes: [`${'a'.repeat(50_000)}!`] }, 'scope_format'],
  ['IN-C16', { ...base, source: '😀'.repeat(512) }, 'ok'],
  ['IN-C16', { ...base, source: '😀'.repeat(513) }, 'too_long'],
  ['IN-D1', { ...base, occurredAt: '2026-02-30T00:00:00Z' }, 'time_format'],
  ['IN-D1', { ...base, occurredAt: '2026-04-31T00:00:00Z' }, 'time_format'],
  ['IN-D2', { ...base, occurredAt: '2026-03-08T02:30:00' }, 'offset_required'],
  ['IN-D5', { ...base, occurredAt: '0000-01-01T00:00:00Z' }, 'time_range'],
  ['IN-D5', { ...base, occurredAt: '9999-12-28T23:59:59Z' }, 'time_range'],
  ['IN-D5', { ...base, occurredAt: '1969-12-28T23:59:59Z' }, 'time_range'],
  ['IN-D5', { ...base, occurredAt: '+275761-01-01T00:00:00Z' }, 'time_format'],
  ['IN-D6', { ...base, occurredAt: 1764000000 }, 'time_format'],
  ['IN-D7', { ...base, occurredAt: '2026-06-28T23:59:60Z' }, 'time_format'],
  ['IN-D7', { ...base, occurredAt: '2026-06-28T24:00:00Z' }, 'time_format'],
  ['shape', { ...base, scopes: [] }, 'too_few'],
  ['shape', { ...base, scopes: Array.from({ length: 17 }, (_, n) => `team:t${n}`) }, 'too_many'],
  ['shape', { ...base, scopes: ['Team:ml'] }, 'scope_format'],
  ['shape', { id: 'a', source: 'b', scopes: ['team:ml'] }, 'no_cost'],
  ['shape', withQuantities({}), 'no_cost'],
  ['shape', { ...base, status: 'done' }, 'not_allowed'],
  ['shape', { ...base, metadata: { text: 'x'.repeat(4096) } }, 'too_long'],
  ['shape', { ...base, metadata: { text: 'a\u0000' } }, 'text_format'],
  ['shape', { ...base, metadata: { text: 'a\\u0000' } }, 'ok'],
  ['shape', 'text', 'wrong_type'],
  ['shape', null, 'wrong_type'],
  ['parts', withQuantities({ inputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 4 }), 'ok'],
  ['parts', withQuantities({ inputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 5 }), 'parts_exceed_whole'],
  ['parts', withQuantities({ cacheReadTokens: 1 }), 'parts_exceed_whole'],
  ['parts', withQuantities({ outputTokens: 3, reasoningTokens: 4 }), 'parts_exceed_whole'],
  ['parts', withQuantities({ inputTokens: 1, outputTokens: 2, totalTokens: 4 }), 'total_mismatch'],
  [
    'allocation',
    {
      ...base,
      allocation: [
        { scope: 'team:a', percent: '33.3' },
        { scope: 'team:b', percent: 66.7 },
      ],
    },
    'ok',
  ],
  [
    'allocation',
    {
      ...base,
      allocation: [
        { scope: 'team:a', percent: 50 },
        { scope: 'team:b', percent: 49 },
      ],
    },
    'allocation_sum',
  ],
  [
    'allocation',
    {
      ...base,
      allocation: [
        { scope: 'team:a', percent: 50 },
        { scope: 'team:a', percent: 50 },
      ],
    },
    'duplicate',
  ],
];

describe('a usage event', () => {
  test.each(ROWS)('%s %j is %s', (_row, event, code) => expect(codeOf(event)).toBe(code));

  test('IN-C7 an unknown field is named, clipped, and no value is quoted', () => {
    const reading = readUsageEvent({ ...base, ['x'.repeat(500)]: 'secret-value' });
    if (reading.ok) throw new Error('accepted');
    expect(reading.problem.errors?.[0]).toMatchObject({ code: 'unknown_field', pointer: `/${'x'.repeat(64)}…` });
    expect(JSON.stringify(reading.problem)).not.toContain('secret-value');
  });

  test('every error has a pointer', () => {
    const reading = readUsageEvent({ ...base, id: '', scopes: ['team:a', 'nope'], cost: { amount: 'x' } });
    if (reading.ok) throw new Error('accepted');
    expect(reading.problem.errors?.map(({ pointer }) => pointer)).toEqual(['/id', '/scopes/1', '/cost/amount']);
  });

  test('IN-C3 IN-C4 look-alikes stay as sent', () => {
    expect(sentOf({ ...base, id: 'é' }).id).not.toBe(sentOf({ ...base, id: 'e\u0301' }).id);
    expect(sentOf({ ...base, id: 'A' }).id).toBe('A');
  });

  test('it is normalised: other spellings of the same content have the same hash', () => {
    const plain = {
      ...base,
      occurredAt: '2026-01-15T10:00:00Z',
      cost: { amount: '1.5' },
      quantities: { inputTokens: '12', outputTokens: '3' },
    };
    const other = {
      quantities: { totalTokens: 15, outputTokens: 3, inputTokens: 12 },
      cost: { amount: '1.500' },
      occurredAt: '2026-01-15T11:00:00.000+01:00',
      scopes: [{ type: 'team', id: 'ml' }, 'team:ml'],
      source: 'relay',
      id: 'req-1',
    };
    expect(contentHash(sentOf(other))).toEqual(contentHash(sentOf(plain)));
    expect(contentHash(sentOf({ ...plain, cost: { amount: '1.6' } }))).not.toEqual(contentHash(sentOf(plain)));
  });

  test('defaults are not part of what was sent', () => {
    const sent = sentOf({ ...base, cost: { amount: '1' } });
    expect(sent).toEqual({ ...base, cost: { amount: '1' } });
    const now = '2026-01-15T10:00:00Z';
    expect(completeUsage(sent, { now, currency: 'EUR' })).toEqual({
      ...base,
      cost: { amount: '1', currency: 'EUR' },
      occurredAt: now,
      status: 'succeeded',
    });
  });

  test('totalTokens alone is kept: some producers know nothing else', () => {
    expect(sentOf(withQuantities({ totalTokens: 7 })).quantities).toEqual({ totalTokens: '7' });
  });
});

/** Valid values, near misses and plain rubbish for every part, so that events are accepted about as often as refused. */
const parts = {
  id: ['req-1', '', 'é', ' a', 'x'.repeat(257), 5],
  source: ['relay', 'a\u0000', undefined],
  occurredAt: [
    undefined,
    '2026-01-15T10:00:00Z',
    '2026-01-15T10:00:00.120Z',
    '2026-01-15T10:00:00.000Z',
    '2026-01-31T10:00:00.1234567Z',
    '2026-02-29T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-01-00T10:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-15T10:00:00+02:00',
    null,
  ],
  scopes: [['team:ml'], ['team:ml', { type: 'user', id: 'a' }], [], 'team:ml', [1]],
  cost: [{ amount: '1.50', currency: 'USD' }, undefined, { amount: 2 }, { amount: '0.0' }, { amount: '-1' }, { currency: 'USD' }, 3, null],
  quantities: [
    undefined,
    {},
    { inputTokens: 3 },
    { inputTokens: '3.0', outputTokens: '1', totalTokens: 4 },
    { seconds: 0.5 },
    { seconds: -0 },
    [],
    1,
  ],
  dimensions: [undefined, { model: 'gpt-4o' }, { model: 1 }, { '': 'x' }, []],
  status: [undefined, 'succeeded', 'failed', 'ok', null],
  reservationId: [undefined, 'r-1', ''],
  metadata: [undefined, {}, { a: [1, { b: null }] }, [], 'x'],
  allocation: [undefined, [{ scope: 'team:a', percent: 100 }], [{ scope: 'team:a', percent: 99 }], [{}], []],
  description: [undefined, '', 'a\nb', '\ud800'],
  other: [undefined, undefined, undefined, 1],
} satisfies Record<string, readonly unknown[]>;

const anyEvent = fc
  .record(
    Object.fromEntries(
      Object.entries(parts).map(([key, [good, ...rest]]) => [
        key,
        fc.oneof(
          { weight: 20, arbitrary: fc.constant(good) },
          { weight: 2, arbitrary: fc.constantFrom(...rest) },
          { weight: 1, arbitrary: fc.jsonValue() },
        ),
      ]),
    ) as Record<string, fc.Arbitrary<unknown>>,
    { noNullPrototype: true },
  )
  .map((event) => Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)));

test('the reader of the hot path and the schema accept the same events and make the same of them', () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyEvent, (event) => {
      const fast = readUsageFast(event);
      const slow = parseWith(UsageEvent, event);
      expect(fast).toEqual(slow.ok ? slow.value : undefined);
      if (fast !== undefined) accepted += 1;
      if (fast !== undefined) expect(Object.keys(fast).sort()).toEqual(Object.keys(slow.ok ? slow.value : {}).sort());
    }),
    { numRuns: 500 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('no JSON at all makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(typeof readUsageEvent(value).ok).toBe('boolean');
    }),
    { numRuns: 300 },
  );
});
