import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send, usage } from './support/usage-client.js';
import { freshTenant, openWorld, type World } from './support/world.js';

/** RELIABILITY §4.2–4.4 as far as they are about usage; what it calls 422 is the event's `rejected` in a 202. */

let world: World;
let url = '';
beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica());
});
afterAll(() => world.close());

/** The good event with one field in another JSON text. */
const withRaw = (field: string, json: string): string => {
  const text = JSON.stringify(usage({ [field]: 'HERE' }));
  return text.replace('"HERE"', () => json);
};
const costOf = (amount: string): string => withRaw('cost', `{"amount":${amount},"currency":"USD"}`);
const quantity = (name: string, value: string): string => withRaw('quantities', `{${JSON.stringify(name)}:${value}}`);
const long = (count: number, text = 'x'): string => text.repeat(count);
const keys = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));

/** Times count from when the event is sent, so the body may be made then. */
type Rejected = readonly [id: string, body: string | object | (() => object), code: string];

const NUMBERS: readonly Rejected[] = [
  ['IN-B1 1e400', costOf('1e400'), 'amount_format'],
  ['IN-B2 1e-400', costOf('1e-400'), 'amount_format'],
  ['IN-B2 1e5', costOf('1e5'), 'amount_format'],
  ['IN-B2 "1e5"', costOf('"1e5"'), 'amount_format'],
  ['IN-B3 -0', costOf('-0'), 'amount_format'],
  ['IN-B3 "-0"', costOf('"-0"'), 'amount_format'],
  ['IN-B3 "-0.00"', costOf('"-0.00"'), 'amount_format'],
  ['IN-B4 "-1"', costOf('"-1"'), 'negative'],
  ['IN-B4 -1', costOf('-1'), 'negative'],
  ...['"NaN"', '"Infinity"', '"null"', '""', '" "', 'null'].map((text): Rejected => [`IN-B5 ${text}`, costOf(text), 'amount_format']),
  ['IN-B7 9007199254740993', costOf('9007199254740993'), 'unsafe_integer'],
  ['IN-B7 19 digits of a fraction', costOf('0.1000000000000000055'), 'unsafe_integer'],
  ['IN-B12 10^20 as a number', costOf('100000000000000000000'), 'too_large'],
  ...['"0x10"', '" 12 "', '"12 "'].map((text): Rejected => [`IN-B8 ${text}`, costOf(text), 'amount_format']),
  ...['"1_000"', '"1,000"', '"1.000,00"', '"٣"', '"１２"'].map((text): Rejected => [`IN-B9 ${text}`, costOf(text), 'amount_format']),
  ...['"+1"', '"01"', '".5"', '"5."'].map((text): Rejected => [`IN-B10 ${text}`, costOf(text), 'amount_format']),
  ['IN-B11 13 decimals', costOf('"0.1234567890123"'), 'scale'],
  ['IN-B12 10^24 picos + 1', costOf('"1000000000000.000000000001"'), 'too_large'],
  ['IN-B13 100,000 digits', costOf(`"${long(100_000, '9')}"`), 'too_large'],
  ['IN-B17 tokens -5', quantity('inputTokens', '-5'), 'negative'],
  ['IN-B17 tokens 1.5', quantity('inputTokens', '1.5'), 'not_an_integer'],
  ['IN-B17 2^63', quantity('inputTokens', '"9223372036854775808"'), 'too_large'],
  ...['true', '[]', '{}', '[1]', '{"toString":1}'].map((text): Rejected => [`IN-B18 ${text}`, costOf(text), 'amount_format']),
  ['IN-B18 a bare amount as cost', withRaw('cost', '1.5'), 'wrong_type'],
  ...['usd', 'USD ', 'US$', 'ZZZ'].map(
    (currency): Rejected => [`IN-B19 ${currency}`, usage({ cost: { amount: '1', currency } }), 'currency'],
  ),
];

const IDS: readonly Rejected[] = [
  ['IN-C1 id missing', usage({ id: undefined }), 'required'],
  ['IN-C1 id empty', usage({ id: '' }), 'text_format'],
  ['IN-C1 id 257 characters', usage({ id: long(257) }), 'too_long'],
  ['IN-C1 id only spaces', usage({ id: '   ' }), 'text_format'],
  ['IN-C1 id a number', usage({ id: 7 }), 'wrong_type'],
  ...['\u0000', '\n', '\t', '\u007f', '\u0085'].map(
    (character): Rejected => [`IN-C2 id with ${JSON.stringify(character)}`, usage({ id: `a${character}b` }), 'text_format'],
  ),
  ['IN-C7 unknown field', usage({ colour: 'red' }), 'unknown_field'],
  ['IN-C8 tenant_id of another tenant', usage({ tenant_id: 'other' }), 'unknown_field'],
  ['IN-C9 65 dimensions', usage({ dimensions: keys(65) }), 'too_many'],
  ['IN-C9 key of 129 characters', usage({ dimensions: { [long(129)]: 'v' } }), 'too_long'],
  ['IN-C9 value of 1,025 characters', usage({ dimensions: { k: long(1_025) } }), 'too_long'],
  ['IN-C9 nested object', usage({ dimensions: { k: { a: 'b' } } }), 'wrong_type'],
  ['IN-C9 metadata over 4 KB', usage({ metadata: { text: long(4_096) } }), 'too_long'],
  ['IN-C16 257 emoji', usage({ id: long(257, '😀') }), 'too_long'],
  ['scopes empty', usage({ scopes: [] }), 'too_few'],
  ['scopes 17', usage({ scopes: Array.from({ length: 17 }, (_, n) => `team:t${n}`) }), 'too_many'],
  ['scope without a type', usage({ scopes: ['ml'] }), 'scope_format'],
  ['neither cost nor quantities', usage({ cost: undefined }), 'no_cost'],
  ['parts above the whole', usage({ quantities: { inputTokens: '5', cacheReadTokens: '6' } }), 'parts_exceed_whole'],
  ['status unknown', usage({ status: 'maybe' }), 'not_allowed'],
];

const DAY_MS = 86_400_000;
const at = (offsetMs: number): string => new Date(Date.now() + offsetMs).toISOString();

const TIMES: readonly (readonly [id: string, occurredAt: () => unknown, code: string])[] = [
  ['IN-D1 30 February', () => '2026-02-30T00:00:00Z', 'time_format'],
  ['IN-D2 no offset', () => '2026-03-08T02:30:00', 'offset_required'],
  ['IN-D3 more than 5 min ahead', () => at(330_000), 'future'],
  ['IN-D4 IN-D16 35 d 1 s ago', () => at(-35 * DAY_MS - 1_000), 'too_old'],
  ['IN-D5 epoch 0', () => '1970-01-01T00:00:00Z', 'too_old'],
  ['IN-D5 before 1970', () => '1969-12-31T23:59:59Z', 'time_range'],
  ['IN-D5 negative year', () => '-000001-01-01T00:00:00Z', 'time_format'],
  ['IN-D5 year 0000', () => '0000-01-01T00:00:00Z', 'time_range'],
  ['IN-D5 year 9999', () => '9999-12-31T23:59:59Z', 'time_range'],
  ['IN-D5 year 10000', () => '10000-01-01T00:00:00Z', 'time_format'],
  ['IN-D5 year 275761', () => '275761-01-01T00:00:00Z', 'time_format'],
  ['IN-D6 seconds', () => 1_764_000_000, 'time_format'],
  ['IN-D6 milliseconds', () => 1_764_000_000_000, 'time_format'],
  ['IN-D6 seconds in a string', () => '1764000000', 'time_format'],
  ['IN-D7 leap second', () => '2025-06-30T23:59:60Z', 'time_format'],
  ['IN-D7 24:00', () => '2025-06-30T24:00:00Z', 'time_format'],
];

describe('a bad event is rejected, alone or in a batch, and sinks nobody else', () => {
  const rows: readonly Rejected[] = [
    ...NUMBERS,
    ...IDS,
    ...TIMES.map(([id, when, code]): Rejected => [id, () => usage({ occurredAt: when() }), code]),
  ];

  test.each(rows)('%s', async (_id, body, code) => {
    const tenant = freshTenant();
    const sent = typeof body === 'function' ? body() : body;
    const event = typeof sent === 'string' ? sent : JSON.stringify(sent);
    const alone = await send(url, event, { tenant });
    expect([alone.status, alone.body.results.map((result) => [result.status, result.problem?.code])]).toEqual([202, [['rejected', code]]]);
    expect(alone.headers.get('bursar-position')).toBeNull();
    // No more than 64 characters of what was sent come back in what is said about it.
    expect(JSON.stringify(alone.body.results[0]?.problem).length).toBeLessThan(1_000);

    const good = JSON.stringify(usage());
    const among = await send(url, `{"events":[${good},${event},${JSON.stringify(usage())}]}`, { tenant });
    expect(among.body.results.map(({ status }) => status)).toEqual(['accepted', 'rejected', 'accepted']);
    expect(await world.usageOf(tenant)).toHaveLength(2);
  });

  test('IN-C7 the unknown field is named', async () => {
    const { body } = await send(url, usage({ colour: 'red' }), { tenant: freshTenant() });
    expect(body.results[0]?.problem?.errors).toEqual([
      { pointer: '/colour', message: expect.stringContaining('colour'), code: 'unknown_field' },
    ]);
  });
});

const MARKUP = ['<script>alert(1)</script>', '{{7*7}}', '$', '{jndi:ldap://x}', '\u001b[31m'].join('');

describe('what is odd and good is accepted and stored as sent', () => {
  const ACCEPTED: readonly (readonly [id: string, body: string | object, stored: Record<string, unknown>])[] = [
    ['IN-B6 the number 0.1', costOf('0.1'), { cost: { amount: '0.1', currency: 'USD' } }],
    ['IN-B6 the number 0.00000000001', costOf('0.00000000001'), { cost: { amount: '0.00000000001', currency: 'USD' } }],
    ['IN-B6 15 digits', costOf('123456789012.345'), { cost: { amount: '123456789012.345', currency: 'USD' } }],
    ['IN-B12 10^24 picos', costOf('"1000000000000"'), { cost: { amount: '1000000000000', currency: 'USD' } }],
    ['IN-B14 "0"', costOf('"0"'), { cost: { amount: '0', currency: 'USD' } }],
    ['IN-B17 2^31 tokens', usage({ quantities: { inputTokens: 2 ** 31 } }), { quantities: { inputTokens: '2147483648' } }],
    ['a cost without a currency is in the tenant’s', withRaw('cost', '{"amount":"1"}'), { cost: { amount: '1', currency: 'USD' } }],
    ['IN-C1 256 characters', usage({ id: long(256) }), { id: long(256) }],
    ['IN-C3 decomposed', usage({ id: 'e\u0301' }), { id: 'e\u0301' }],
    ['IN-C3 zero-width joiner, override, homoglyph', usage({ id: 'а\u200d\u202eb' }), { id: 'а\u200d\u202eb' }],
    ...['__proto__', 'constructor', 'toString'].map((id) => [`IN-C5 ${id}`, usage({ id }), { id }] as const),
    ['IN-C5 constructor as a dimension', usage({ dimensions: { constructor: 'x' } }), { dimensions: { constructor: 'x' } }],
    ...["'; drop table usage; --", '$1', 'a\\b', '%', '_'].map((id) => [`IN-C10 ${id}`, usage({ id }), { id }] as const),
    ['IN-C13 markup', usage({ description: MARKUP }), { description: MARKUP }],
    ['IN-C16 256 emoji', usage({ id: long(256, '😀') }), { id: long(256, '😀') }],
    ['IN-C22 a reservation nobody knows', usage({ reservationId: 'of-another-tenant' }), { reservationId: 'of-another-tenant' }],
    ['A7 a failed call costs too', usage({ status: 'failed' }), { status: 'failed', cost: { amount: '1.25', currency: 'USD' } }],
    ['scopes as objects', usage({ scopes: [{ type: 'team', id: 'ml' }] }), { scopes: ['team:ml'] }],
    ['an offset becomes UTC', usage({ occurredAt: at(0).replace('Z', '+00:00') }), {}],
  ];

  test.each(ACCEPTED)('%s', async (_id, body, stored) => {
    const tenant = freshTenant();
    const { status, body: answer } = await send(url, body, { tenant });
    expect([status, answer.results[0]?.status]).toEqual([202, 'accepted']);
    const [event] = await world.usageOf(tenant);
    expect(JSON.parse(event?.data ?? '{}')).toMatchObject({ ...stored, occurredAt: expect.stringMatching(/Z$/) });
  });

  test.each([
    // The bound itself is age-window.spec's: what a service knows of the database's clock is some milliseconds old.
    ['IN-D3 a second less than 5 min ahead', 299_000],
    ['IN-D4 35 d ago', -35 * DAY_MS],
    ['now', 0],
  ])('%s', async (_id, offset) => {
    const { body } = await send(url, usage({ occurredAt: at(offset) }), { tenant: freshTenant() });
    expect(body.results[0]?.status).toBe('accepted');
  });

  test('MAX_EVENT_AGE=2000d takes old traces', async () => {
    const replica = await world.replica({ MAX_EVENT_AGE: '2000d' });
    const { body } = await send(replica.url, usage({ occurredAt: '2023-11-16T18:17:03.9799600Z' }), { tenant: freshTenant() });
    expect(body.results[0]?.status).toBe('accepted');
  });
});

describe('identity', () => {
  test('IN-C3, IN-C4 ids that look alike are different events', async () => {
    const ids = ['é', 'e\u0301', 'Abc', 'abc', 'a\u200dbc'];
    const { body } = await send(url, { events: ids.map((id) => usage({ id })) }, { tenant: freshTenant() });
    expect(body.results.map(({ status }) => status)).toEqual(ids.map(() => 'accepted'));
  });

  test('IN-C19 the same id from another source is another event', async () => {
    const { body } = await send(
      url,
      { events: [usage({ id: 'x', source: 'a' }), usage({ id: 'x', source: 'b' })] },
      { tenant: freshTenant() },
    );
    expect(body.results.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
  });

  test('IN-C20 key order, white space and spelling of values do not make it another event', async () => {
    const tenant = freshTenant();
    const when = new Date().toISOString();
    const first = await send(
      url,
      usage({ id: 'x', occurredAt: when, cost: { amount: '1.50', currency: 'USD' }, dimensions: { a: '1', b: '2' } }),
      { tenant },
    );
    const same = `{ "scopes": [{"id":"ml","type":"team"}], "dimensions": {"b":"2", "a":"1"},
      "cost": {"currency":"USD","amount":1.5}, "occurredAt": "${when.replace('Z', '+00:00')}", "source": "test", "id": "x" }`;
    const { body } = await send(url, same, { tenant });
    expect(body.results[0]).toEqual({ ...first.body.results[0], status: 'duplicate' });
  });

  test('IN-C20 an event without a time is the same event whenever it comes again', async () => {
    const tenant = freshTenant();
    const event = usage({ id: 'x' });
    await send(url, event, { tenant });
    const { body } = await send(url, event, { tenant });
    expect(body.results[0]?.status).toBe('duplicate');
  });

  test('IN-C21 the same id with another amount is rejected, and the first stands', async () => {
    const tenant = freshTenant();
    await send(url, usage({ id: 'x', cost: { amount: '1', currency: 'USD' } }), { tenant });
    const other = usage({ id: 'x', cost: { amount: '2', currency: 'USD' } });
    const { body } = await send(url, { events: [other, usage(), other] }, { tenant });
    expect(body.results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      ['rejected', 'idempotency_conflict'],
      ['accepted', undefined],
      ['rejected', 'idempotency_conflict'],
    ]);
    const stored = await world.usageOf(tenant);
    expect(stored.map(({ data }) => JSON.parse(data).cost.amount)).toEqual(['1', '1.25']);
  });

  test('a repeat inside a batch is a duplicate, and other content under its id a conflict', async () => {
    const event = usage({ id: 'x' });
    const { body } = await send(url, { events: [event, event, { ...event, category: 'other' }] }, { tenant: freshTenant() });
    expect(body.results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      ['accepted', undefined],
      ['duplicate', undefined],
      ['rejected', 'idempotency_conflict'],
    ]);
    expect(new Set(body.results.map(({ position }) => position)).size).toBe(1);
  });

  test('the same id in two tenants is two events, and neither sees the other’s', async () => {
    const [a, b] = [freshTenant(), freshTenant()];
    const event = usage({ id: 'x' });
    const [first, second] = [await send(url, event, { tenant: a }), await send(url, event, { tenant: b })];
    expect([first, second].map(({ body }) => body.results[0]?.status)).toEqual(['accepted', 'accepted']);
    expect(first.body.results[0]?.eventId).not.toBe(second.body.results[0]?.eventId);
    expect([(await world.usageOf(a)).length, (await world.usageOf(b)).length]).toEqual([1, 1]);
  });
});

describe('hostile sizes cost little', () => {
  const nasty = `${'a'.repeat(50_000)}!`;
  test.each([
    ['IN-B13 amount', usage({ cost: { amount: nasty, currency: 'USD' } })],
    ['IN-C15 id', usage({ id: nasty })],
    ['IN-C15 scope', usage({ scopes: [nasty] })],
    ['IN-C15 scope id', usage({ scopes: [`team:${nasty}`] })],
    ['IN-C15 occurredAt', usage({ occurredAt: nasty })],
    ['IN-C15 currency', usage({ cost: { amount: '1', currency: nasty } })],
    ['IN-C15 dimension key', usage({ dimensions: { [nasty]: 'x' } })],
    ['IN-C15 quantity', usage({ quantities: { inputTokens: nasty } })],
    ['IN-C15 category', usage({ category: nasty })],
  ])('%s of 50,000 characters is rejected', async (_id, event) => {
    const { readUsageEvent } = await import('@bursar/contracts/http');
    const start = performance.now();
    expect(readUsageEvent(event).ok).toBe(false);
    // A pattern that backtracks would take minutes over 50,000 characters; the bound leaves room for a crowded machine.
    expect(performance.now() - start).toBeLessThan(2_000);
    const { body } = await send(url, event, { tenant: freshTenant() });
    expect(body.results[0]?.status).toBe('rejected');
  });
});
