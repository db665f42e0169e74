import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { routeOf } from '@bursar/contracts/http';
import { afterEach, expect, test } from '@jest/globals';
import { Controller, Module, Post, Req, Res } from '@nestjs/common';
import fc from 'fast-check';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../src/auth/principal.js';
import { loadConfig, ServiceEnv } from '../src/config.js';
import { readRequest } from '../src/http/contract-routes.js';
import type { ShortRequest, ShortRoute } from '../src/http/exchange.js';
import { writeAnswer } from '../src/http/once.js';
import { Problem } from '../src/http/problem.js';
import { createService, type Service, type ServiceOptions } from '../src/service.js';

const KEY = 'platform-test-key-0123456789';
const ROUTE = routeOf('check');

let never = Promise.withResolvers<void>();
/** Calls that took the short way. */
let short = 0;

type Asked = Pick<ShortRequest, 'body' | 'caller' | 'idempotencyKey' | 'url'> & Readonly<{ rawBody: Buffer | null }>;

/** What both ways answer: what they were asked, or the failure that the category names. */
const answerOf = ({ body, caller, idempotencyKey, url, rawBody }: Asked) => {
  const { category, amount } = body as { category?: string; amount: string };
  if (category === 'refuse')
    throw new Problem('budget_exceeded', 'No more.', { extensions: { amount }, headers: { 'bursar-budget': '"x"' } });
  if (category === 'break') throw new Error('secret-canary');
  const text = JSON.stringify({ body, caller, idempotencyKey, url, sent: rawBody?.toString('latin1') });
  return {
    status: category === 'made' ? 201 : 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'bursar-owner': 'me' },
    body: text,
  };
};
const later = async (asked: Asked) => {
  if ((asked.body as { category?: string }).category === 'hang') await never.promise;
  return answerOf(asked);
};

@Controller()
class AsksController {
  @Post(ROUTE.path)
  async ask(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { body } = readRequest(ROUTE, request);
    const { idempotencyKey, url, rawBody } = request;
    return writeAnswer(reply, await later({ body, caller, idempotencyKey, url, rawBody }));
  }
}

@Module({ controllers: [AsksController] })
class AsksModule {}

const shortRoute = (answer: ShortRoute['answer']): ShortRoute => ({
  route: ROUTE,
  answer: (asked) => {
    short += 1;
    return answer(asked);
  },
});

const running: Service[] = [];
afterEach(async () => {
  never.resolve();
  for (const service of running.splice(0)) await service.stop();
});

const start = async (shortRoutes: readonly ShortRoute[], limits: ServiceOptions['limits'] = {}) => {
  never = Promise.withResolvers<void>();
  short = 0;
  const config = loadConfig(ServiceEnv, { BURSAR_ADMIN_KEY: KEY, OPS_PORT: '0', LOG_LEVEL: 'silent' });
  // A busy machine is late now and then; that is another test's to see.
  const service = await createService({
    name: 'asks',
    module: AsksModule,
    config,
    routes: [ROUTE],
    shortRoutes,
    limits: { loopLagMs: 60_000, ...limits },
  });
  running.push(service);
  return { service, ...(await service.start()) };
};

type Sent = Readonly<{
  method?: string;
  path?: string;
  headers?: Readonly<Record<string, string>>;
  body: Buffer | string;
  chunked?: boolean;
}>;

const send = async (url: string, { method = 'POST', path = ROUTE.path, headers = {}, body, chunked = false }: Sent) => {
  const length = chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sending = request(`${url}${path}`, { method, headers: { ...length, 'x-request-id': 'the-one', ...headers } });
  if (chunked) sending.write(body);
  sending.end(chunked ? undefined : body);
  const [response] = await once(sending, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  const { date: _, 'request-id': id, ...said } = response.headers;
  // One that was made here is as long as any, and said in the document as well.
  const isMade = /^[0-9a-f-]{36}$/.test(id);
  return { status: response.statusCode, headers: said, id: isMade ? 'made' : id, text: isMade ? text.replaceAll(id, 'made') : text };
};

const PLAIN = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
const bodyOf = (more: object = {}): string => JSON.stringify({ scopes: ['team:ml'], amount: '1', ...more });

const header = (...values: readonly (string | undefined)[]): fc.Arbitrary<string | undefined> => fc.constantFrom(undefined, ...values);
const oddHeaders = fc.record(
  {
    authorization: header('Bearer wrong-key-0123456789', `bearer   ${KEY}`, 'Basic x', `Bearer ${KEY}x`),
    'bursar-tenant': header('acme', 'no tenant', 'default'),
    'content-type': header('application/json; charset=utf-8', 'APPLICATION/JSON', 'text/plain', 'application/json; charset=latin1', 'x'),
    'content-encoding': header('identity', 'gzip'),
    'idempotency-key': header('key-1', 'x'.repeat(300), '  '),
    traceparent: header('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'nonsense'),
    connection: header('close', 'keep-alive'),
    'x-request-id': header('mine', 'not plain'),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(bodyOf(), bodyOf({ category: 'refuse' }), bodyOf({ category: 'break' }), bodyOf({ category: 'made' })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom<string | Buffer>(
      '',
      '{',
      '[]',
      'null',
      '{}',
      '1e5',
      '['.repeat(20),
      bodyOf({ amount: '-1' }),
      bodyOf({ surprise: 1 }),
      bodyOf({ category: 'ünï\u{1F600}' }),
      '{"__proto__":1}',
      '\ufeff{}',
      Buffer.from([0x22, 0xff, 0x22]),
      bodyOf({ category: 'x'.repeat(70_000) }),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
);
const sent: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'PUT'),
  path: fc.constantFrom(
    ...Array<string>(6).fill(ROUTE.path),
    `${ROUTE.path}?`,
    `${ROUTE.path}?minPosition=1:1`,
    `${ROUTE.path}?x=1`,
    `${ROUTE.path}/`,
  ),
  headers: fc.oneof(fc.constant({}), oddHeaders).map((odd) => {
    const all: Record<string, string | undefined> = { ...PLAIN, ...odd };
    return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
  }),
  body,
  chunked: fc.constantFrom(false, false, false, true),
});

test.each([
  ['at once', answerOf],
  ['later', later],
])(
  'ADR 0031 the short way answers %s whatever the pipeline answers, to the header',
  async (_when, answer) => {
    const [around, through] = [await start([shortRoute(answer)]), await start([])];
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(sent, async (one) => {
        asked += 1;
        expect(await send(around.url, one)).toEqual(await send(through.url, one));
      }),
      { numRuns: 250 },
    );
    expect(short).toBeGreaterThan(20);
    expect(short).toBeLessThan(asked);
  },
  120_000,
);

test('a body may come in pieces, and a client may go away in the middle of one', async () => {
  const { url } = await start([shortRoute(later)], { bodiesBytes: 100 });
  const text = bodyOf({ category: 'made' });
  const lines = (bytes: number): string =>
    `POST ${ROUTE.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
  for (let n = 0; n < 5; n += 1) {
    const gone = connect(Number(new URL(url).port), '127.0.0.1');
    gone.write(`${lines(90)}${text.slice(0, 20)}`);
    await delay(20);
    gone.destroy();
    await once(gone, 'close');
  }
  // Else what they held would be held for ever.
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await delay(50);
  for (let n = 0; n < 3; n += 1) {
    answer = '';
    socket.write(`${lines(text.length)}${text.slice(0, 20)}`);
    await delay(20);
    socket.write(text.slice(20));
    while (!answer.endsWith('}')) await delay(5);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  }
  socket.destroy();
  expect(short).toBe(3);
});

test('a handler that does not answer is answered for in time', async () => {
  const [around, through] = [await start([shortRoute(later)], { handlerTimeoutMs: 80 }), await start([], { handlerTimeoutMs: 80 })];
  const hanging = { headers: PLAIN, body: bodyOf({ category: 'hang' }) };
  const answer = await send(around.url, hanging);
  expect(answer).toEqual(await send(through.url, hanging));
  expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'timed_out']);
});

test('stopping answers what is in flight; and every answer is counted once', async () => {
  const { service, url, opsUrl } = await start([shortRoute(later)]);
  expect((await send(url, { headers: PLAIN, body: bodyOf() })).status).toBe(200);
  await delay(20);
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  expect(text).toMatch(/bursar_http_request_duration_seconds_count\{.*route="\/api\/v1\/check".*\} 1/);
  const slow = send(url, { headers: PLAIN, body: bodyOf({ category: 'hang' }) });
  while (short < 2) await delay(5);
  const stopping = service.stop();
  never.resolve();
  expect((await slow).status).toBe(200);
  await stopping;
});
