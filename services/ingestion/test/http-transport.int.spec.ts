import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exchange, head } from './support/raw-socket.js';
import { type Answer, send, usage } from './support/usage-client.js';
import { eventually, freshTenant, KEY, openWorld, type World } from './support/world.js';

/** RELIABILITY §4.1 on real sockets. Timeouts are a tenth of the real ones, which http/limits.ts keeps within 10 s. */

let world: World;
let url = '';
beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica({}, { requestTimeoutMs: 1_200, timeoutCheckMs: 50, handlerTimeoutMs: 5_000 }));
});
afterAll(() => world.close());

const good = JSON.stringify(usage());
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** A refusal as RFC 9457 has it, of this status and code. */
const expectProblem = (answer: Answer, status: number, code?: string): void => {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(/^https:\/\//),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code: code ?? expect.any(String),
    instance: expect.stringMatching(/^urn:bursar:request:/),
    retryable: expect.any(Boolean),
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-powered-by')).toBeNull();
  expect(answer.text).not.toMatch(/ at .*\.js|stack|node_modules/);
};

const BODIES: readonly (readonly [id: string, body: string | Uint8Array<ArrayBuffer>, code: string])[] = [
  ['IN-A1 empty', '', 'empty_body'],
  ['IN-A2 truncated', good.slice(0, -1), 'bad_json'],
  ['IN-A2 trailing garbage', `${good} x`, 'bad_json'],
  ['IN-A2 two documents', `${good}\n${good}`, 'bad_json'],
  ['IN-A3 byte order mark', `\ufeff${good}`, 'bad_encoding'],
  ['IN-A4 invalid UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'bad_encoding'],
  ['IN-A4 lone surrogate', '{"id":"\\ud800"}', 'bad_encoding'],
  ['IN-A5 comment', `/* usage */ ${good}`, 'bad_json'],
  ['IN-A5 NaN', '{"cost":NaN}', 'bad_json'],
  ['IN-A7 10,000 deep', nested(10_000), 'too_deep'],
  ['IN-A7 17 deep', nested(17), 'too_deep'],
  ['IN-A8 array', '[]', 'not_an_object'],
  ['IN-A8 null', 'null', 'not_an_object'],
  ['IN-A8 number', '7', 'not_an_object'],
  ['IN-A8 string', '"usage"', 'not_an_object'],
  ['IN-A15 no events', '{"events":[]}', 'batch_size'],
  ['IN-A15 1,001 events', JSON.stringify({ events: Array.from({ length: 1_001 }, () => usage()) }), 'batch_size'],
  ['events is no array', '{"events":{}}', 'batch_size'],
  ['IN-C6 __proto__', '{"__proto__":{"isAdmin":true}}', 'forbidden_key'],
];

describe('a body that is none is refused as a whole', () => {
  test.each(BODIES)('%s', async (_id, body, code) => {
    const tenant = freshTenant();
    expectProblem(await send(url, body, { tenant }), 400, code);
    expect(await world.usageOf(tenant)).toHaveLength(0);
  });

  test('IN-A6 of equal keys the last wins', async () => {
    const { body } = await send(url, good.replace('"amount":"1.25"', '"amount":"1","amount":"9"'), { tenant: freshTenant() });
    expect(body.results[0]?.status).toBe('accepted');
  });

  test('IN-A16 999 good and 1 bad: 999 accepted, 1 rejected, in order', async () => {
    const tenant = freshTenant();
    const events = Array.from({ length: 1_000 }, (_, n) => usage({ id: `e${n}`, ...(n === 500 && { cost: { amount: 'x' } }) }));
    const { status, body } = await send(url, { events }, { tenant });
    expect(status).toBe(202);
    expect(body.results.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(body.results.flatMap((result, n) => (result.status === 'accepted' ? [] : [n]))).toEqual([500]);
    expect(await world.usageOf(tenant)).toHaveLength(999);
  });
});

describe('content types', () => {
  test.each([
    ['IN-A9 text', { 'content-type': 'text/plain' }],
    ['IN-A9 UTF-16', { 'content-type': 'application/json;charset=utf-16' }],
    ['IN-A9 form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['IN-A10 tab and parameter', { 'content-type': 'application/json\t;x' }],
    ['IN-A10 unknown parameter', { 'content-type': 'application/json; x=y' }],
    ['IN-A13 gzip', { 'content-encoding': 'gzip' }],
    ['IN-A13 zstd', { 'content-encoding': 'zstd' }],
    ['IN-A13 nested', { 'content-encoding': 'gzip, gzip' }],
  ])('%s is 415', async (_id, headers) =>
    expectProblem(await send(url, good, { headers: headers as Record<string, string> }), 415, 'unsupported_media_type'),
  );

  test('IN-A13 a gzip bomb is not unpacked', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')));
    const before = process.memoryUsage().rss;
    expectProblem(await send(url, bomb, { headers: { 'content-encoding': 'gzip' } }), 415, 'unsupported_media_type');
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024);
  });

  test('IN-A9 without a Content-Type', async () => {
    const answer = await exchange(
      url,
      `${head(`Content-Length: ${good.length}`, 'Connection: close').replace('Content-Type: application/json\r\n', '')}${good}`,
    );
    expect([answer.status, answer.body]).toEqual([415, expect.stringContaining('unsupported_media_type')]);
  });

  test('IN-A10 other case is the same type', async () => {
    const answer = await send(url, usage(), { tenant: freshTenant(), headers: { 'content-type': 'Application/JSON; Charset=UTF-8' } });
    expect(answer.status).toBe(202);
  });
});

describe('sizes and times', () => {
  const LIMIT = 4 * 1024 * 1024;

  test('IN-A11 4 MB are read, one byte more is 413 and the connection ends', async () => {
    const padded = (size: number): string => good.padEnd(size, ' ');
    expect((await send(url, padded(LIMIT), { tenant: freshTenant() })).status).toBe(202);
    const answer = await send(url, padded(LIMIT + 1));
    expectProblem(answer, 413, 'payload_too_large');
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('IN-A11 a chunked body over the limit is 413 too', async () => {
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`;
    const answer = await exchange(url, head('Transfer-Encoding: chunked'), (socket) => {
      for (let n = 0; n < 80; n += 1) socket.write(chunk);
    });
    expect(answer.status).toBe(413);
  });

  test('IN-A11 a Content-Length that is too short leaves garbage, which is no request', async () => {
    const answer = await exchange(url, `${head(`Content-Length: ${good.length - 10}`)}${good}`);
    expect([answer.status, answer.pieces]).toEqual([400, 1]);
  });

  test('IN-A11 a Content-Length that is too long is 408 in the end', async () => {
    const answer = await exchange(url, `${head(`Content-Length: ${good.length + 10}`)}${good}`);
    expect(answer.status).toBe(408);
    expect(answer.body).toContain('request_timeout');
  });

  test('IN-A11 a negative Content-Length is 400', async () => {
    expect((await exchange(url, `${head('Content-Length: -1')}${good}`)).status).toBe(400);
  });

  test.each([
    ['IN-A12 a chunked body without end', head('Transfer-Encoding: chunked'), '1\r\n{\r\n'],
    ['IN-A12 a body of one byte at a time', head('Content-Length: 4000'), '{'],
    ['IN-A12 headers of one byte at a time', head().slice(0, 40), 'x'],
  ])('%s is closed at the timeout, and others are served', async (_id, start, drip) => {
    let timer: NodeJS.Timeout | undefined;
    const slow = exchange(url, start, (socket) => {
      timer = setInterval(() => socket.write(drip), 60);
    });
    expect((await send(url, usage(), { tenant: freshTenant() })).status).toBe(202);
    const answer = await slow;
    clearInterval(timer);
    // Sooner than by the limit that holds where none is set, 8 s.
    expect(answer.closedAfterMs).toBeLessThan(7_000);
    expect(answer.text).toContain('HTTP/1.1 408');
  });

  test('IN-A22 Expect: 100-continue, then nothing, is closed at the timeout', async () => {
    const answer = await exchange(url, head('Content-Length: 100', 'Expect: 100-continue'));
    // Sooner than by the limit that holds where none is set, 8 s.
    expect(answer.closedAfterMs).toBeLessThan(7_000);
    expect(answer.text).not.toMatch(/HTTP\/1.1 [2345]0[0-7]/);
  });

  test.each([
    ['IN-A19 a header of 64 KB', `X-Large: ${'x'.repeat(64 * 1024)}`, 431],
    ['IN-A19 1,000 headers', Array.from({ length: 1_000 }, (_, n) => `X-${n}: ${'y'.repeat(20)}`).join('\r\n'), 431],
    ['IN-A19 CR in a value', 'X-Odd: a\rb', 400],
    ['IN-A19 LF in a value', 'X-Odd: a\nX-Injected b', 400],
    ['IN-A19 NUL in a value', 'X-Odd: a\0b', 400],
  ])('%s', async (_id, line, status) => {
    const answer = await exchange(url, `${head(line, 'Content-Length: 2', 'Connection: close')}{}`);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, instance: expect.stringMatching(/^urn:bursar:request:/) });
  });
});

describe('IN-A14 nothing is smuggled', () => {
  const inner = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
  test.each([
    ['both lengths', `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${inner}`],
    ['chunked, identity', `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n${inner}`],
    ['two Content-Lengths', `${head('Content-Length: 0', `Content-Length: ${inner.length}`)}${inner}`],
    ['an obscured Transfer-Encoding', `${head('Transfer-Encoding: xchunked')}0\r\n\r\n${inner}`],
    ['bare LF', head('Content-Length: 0').replaceAll('\r\n', '\n') + inner],
    ['space before the colon', `${head('Content-Length : 0')}${inner}`],
  ])('%s', async (_id, bytes) => {
    const answer = await exchange(url, bytes);
    expect([answer.status, answer.pieces]).toEqual([400, 1]);
  });
});

describe('addresses and methods', () => {
  const get = async (path: string, method = 'GET', headers: Record<string, string> = {}): Promise<string> => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await exchange(
      url,
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\n${lines.join('')}Connection: close\r\n\r\n`,
    );
    return `${answer.status} ${answer.body}`;
  };

  test('IN-A17 another method is 405, and says which there is', async () => {
    const response = await fetch(`${url}/api/v1/usage`, { headers: { authorization: `Bearer ${KEY}` } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
  });

  test('IN-A17 a GET with a body is 405, an override is ignored', async () => {
    expect(await get('/api/v1/usage', 'GET', { 'Content-Length': '0' })).toMatch(/^405/);
    const tenant = freshTenant();
    const answer = await send(url, usage(), { tenant, headers: { 'x-http-method-override': 'DELETE' } });
    expect(answer.status).toBe(202);
  });

  test.each([
    '/api/v1/usage/../admin',
    '/api/v1/%2e%2e/usage',
    '//api/v1/usage',
    '/api/v1/usage/',
    '/api/v1/usage;a=b',
    '/api/v1/usage%00',
    '/api/v1/%zz',
    '/v1/secret-canary',
    '/API/V1/USAGE',
  ])('IN-A18 %s leads nowhere', async (path) => {
    const answer = await get(path, 'POST');
    expect(answer).toMatch(/^40[04]/);
    expect(answer).not.toContain('canary');
  });

  test('IN-A20 forwarded headers are nobody’s word', async () => {
    const answer = await send(url, usage(), {
      tenant: freshTenant(),
      key: null,
      headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'internal', 'x-forwarded-proto': 'https', forwarded: 'for=127.0.0.1' },
    });
    expect(answer.status).toBe(401);
  });

  test.each(['?dryrun=true', '?dryRun=yes', '?dryRun=true&dryRun=false', '?x=1'])('a query of %s is 400', async (query) => {
    expectProblem(await send(url, usage(), { query }), 400);
  });
});

describe('credentials', () => {
  test('without and with a wrong key: 401, the same body but for the name of the occurrence', async () => {
    const answers = await Promise.all([
      send(url, usage(), { key: null }),
      send(url, usage(), { key: 'wrong-key-wrong-key-wrong' }),
      send(url, usage(), { key: `${KEY}x` }),
      send(url, usage(), { key: null, headers: { authorization: `Basic ${btoa(`admin:${KEY}`)}` } }),
      send(url, '{bad json', { key: null }),
    ]);
    for (const answer of answers) expectProblem(answer, 401, 'unauthenticated');
    expect(new Set(answers.map(({ text }) => text.replace(/urn:bursar:request:[^"]+/, ''))).size).toBe(1);
    expect(answers[0]?.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('only health is open', async () => {
    const statuses = async (path: string): Promise<number> => (await fetch(url + path)).status;
    expect(await Promise.all(['/livez', '/readyz', '/metrics', '/', '/api/v1/usage', '/nowhere'].map(statuses))).toEqual([
      200, 200, 401, 401, 401, 401,
    ]);
  });

  test.each(['a b', 'ümlaut', 'x'.repeat(65), '../other', 'a,b'])('Bursar-Tenant %j is 400', async (tenant) => {
    expectProblem(await send(url, usage(), { tenant: Buffer.from(tenant).toString('latin1') }), 400, 'tenant');
  });

  test('the admin key has no rate limit and says none', async () => {
    const answer = await send(url, usage(), { tenant: freshTenant() });
    expect(answer.headers.get('ratelimit')).toBeNull();
  });
});

describe('under load', () => {
  test('IN-A21 many connections that send nothing cost no others their service', async () => {
    const idle = Array.from({ length: 300 }, () => exchange(url, ''));
    expect((await send(url, usage(), { tenant: freshTenant() })).status).toBe(202);
    await Promise.all(idle);
  });

  test('F44 beyond the bytes in flight a request is told to come back before its body is read', async () => {
    const replica = await world.replica({}, { bodiesBytes: 3_000, requestTimeoutMs: 5_000, timeoutCheckMs: 50 });
    const holding = exchange(replica.url, head('Content-Length: 2900'));
    let refused: Answer | undefined;
    await eventually(async () => {
      refused = await send(replica.url, good, { tenant: freshTenant() });
      return refused.status === 503;
    });
    expectProblem(refused as Answer, 503, 'overloaded');
    expect(refused?.headers.get('retry-after')).toMatch(/^\d+$/);
    await holding;
    await eventually(async () => (await send(replica.url, good, { tenant: freshTenant() })).status === 202);
  });
});
