import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answerAll, answerOf, KEY, later, ROUTE, shortCalls, shortRoute, start, stopAll } from './support/asks.js';

/** What goes over the wire, byte for byte: connections that node's `http` does not see must look as if it did. */

afterEach(stopAll);

const bodyOf = (more: object = {}): string => JSON.stringify({ scopes: ['team:ml'], amount: '1', ...more });
const LINES = [`Host: x`, `Authorization: Bearer ${KEY}`, 'Content-Type: application/json', 'X-Request-Id: the-one'];
const requestOf = (body: string, lines: readonly string[] = LINES, first = `POST ${ROUTE.path} HTTP/1.1`): string =>
  `${[first, ...lines, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`;

/** A connection as its client sees it. */
const open = async (url: string) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const seen = { text: '', closed: false };
  socket.on('data', (chunk: Buffer) => (seen.text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (seen.closed = true));
  await once(socket, 'connect');
  socket.setNoDelay(true);
  return { socket, seen };
};

/**
 * Without what is another each time; headers of one answer may come in any order. That a body may be sent is counted only: of a request that was sent on behind
 * another node says it after that one's answer, or even between the head and the body of its own.
 */
const plain = ({ text, closed }: Readonly<{ text: string; closed: boolean }>) => {
  const parts = text.split(CONTINUE);
  const answers = parts.join('').split(/(?=HTTP\/1\.1 \d{3} )/);
  return { answers: answers.map(answerIn), continued: parts.length - 1, closed };
};

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const answerIn = (answer: string) => {
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const made = /^request-id: ([0-9a-f-]{36})\r?$/m.exec(head)?.[1] ?? 'none';
  // What node refuses before there is a request has an id in its document alone.
  const said = [head, ...body]
    .join('\r\n\r\n')
    .replaceAll(made, 'made')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'made');
  const [whole = '', ...parts] = said.replace(/^date: .*$/im, 'Date').split('\r\n\r\n');
  return { head: whole.split('\r\n').sort(), body: parts.join('\r\n\r\n') };
};

const SETTLED_MS = 15;
const PATIENCE_MS = 20_000;

/** Sends both the same pieces, and compares what they answer once there is something, or nothing after a while. */
const compare = async (urls: readonly [string, string], pieces: readonly string[], ends: boolean): Promise<void> => {
  const both = await Promise.all([open(urls[0]), open(urls[1])]);
  for (const piece of pieces) {
    for (const { socket } of both) if (socket.writable) socket.write(piece, 'latin1');
    if (pieces.length > 1) await delay(2);
  }
  if (ends) for (const { socket } of both) socket.end();
  const [around, through] = [both[0].seen, both[1].seen];
  for (const until = performance.now() + 60; through.text === '' && !through.closed && performance.now() < until; ) await delay(2);
  const isSame = (): boolean => JSON.stringify(plain(around)) === JSON.stringify(plain(through));
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await delay(2)) {
    if (!isSame()) continue;
    await delay(SETTLED_MS);
    if (isSame()) break;
  }
  for (const { socket } of both) socket.destroy();
  expect(plain(around)).toEqual(plain(through));
};

const ODD_LINES = [
  'host: y',
  'Content-Length: 3',
  'content-length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: Keep-Alive',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Authorization: Bearer wrong-key-0123456789',
  'X-Tab:\tx',
  'X-Folded: a\r\n b',
  'X-Empty:',
  'X-Space : a',
  'X_Under: a',
  'X-High: \xe9',
  'X-Null: \x00',
  'no colon',
  'Bursar-Tenant: acme',
  'Bursar-Tenant:   acme  ',
  'Idempotency-Key: key-1',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  `X-Long: ${'x'.repeat(5_000)}`,
];
const FIRSTS = ['', 'POST  ', 'GET ', 'post '].map((method) => `${method || 'POST '}${ROUTE.path} HTTP/1.1`);
const oneRequest = fc
  .record({
    first: fc.oneof(
      { weight: 5, arbitrary: fc.constant(FIRSTS[0] as string) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...FIRSTS, `POST ${ROUTE.path} HTTP/1.0`, `POST http://x${ROUTE.path} HTTP/1.1`, `\r\n${FIRSTS[0]}`),
      },
    ),
    more: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: fc.subarray(ODD_LINES, { maxLength: 2 }) }),
    missing: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...LINES) }),
    body: fc.constantFrom(
      bodyOf(),
      bodyOf(),
      bodyOf({ category: 'made' }),
      bodyOf({ category: 'refuse' }),
      bodyOf({ category: 'ünï' }),
      '{',
      ' ',
    ),
    ending: fc.oneof({ weight: 5, arbitrary: fc.constant('\r\n') }, { weight: 1, arbitrary: fc.constant('\n') }),
  })
  .map(({ first, more, missing, body, ending }) =>
    requestOf(Buffer.from(body).toString('latin1'), [...LINES.filter((line) => line !== missing), ...more], first).replaceAll(
      '\r\n',
      ending,
    ),
  );
const cutAt = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
const conversation = fc.record({
  requests: fc.array(oneRequest, { minLength: 1, maxLength: 3 }),
  cuts: cutAt,
  ends: fc.boolean(),
  kept: fc.double({ min: 0.5, max: 2, noNaN: true }),
});

const pieces = (text: string, cuts: readonly number[]): readonly string[] => {
  const places = [...cuts].sort((a, b) => a - b).map((cut) => Math.floor(cut * text.length));
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length)).filter((piece) => piece !== '');
};

test('ADR 0031 whatever is sent, in whatever pieces, both ways answer the same and close at the same', async () => {
  const [around, through] = [await start([shortRoute(answerOf)]), await start([])];
  await fc.assert(
    fc.asyncProperty(conversation, async ({ requests, cuts, ends, kept }) => {
      const text = requests.join('');
      // Now and then the end is missing.
      await compare([around.url, through.url], pieces(text.slice(0, Math.ceil(kept * text.length)), cuts), ends);
    }),
    {
      numRuns: 150,
      examples: [
        [{ requests: [requestOf(bodyOf()), requestOf(bodyOf(), [...LINES, 'Expect: 100-continue'])], cuts: [], ends: false, kept: 1 }],
      ],
    },
  );
  expect(shortCalls()).toBeGreaterThan(20);
});

describe('a connection that is not node’s', () => {
  test('is answered again and again, also with another head, and also after something odd', async () => {
    const { url } = await start([shortRoute(later)]);
    const { socket, seen } = await open(url);
    const ask = async (text: string, answers: number): Promise<void> => {
      socket.write(text);
      while (plain(seen).answers.length < answers || !/[}]$/.test(seen.text)) await delay(2);
    };
    await ask(requestOf(bodyOf()), 1);
    await ask(requestOf(bodyOf({ category: 'made' })), 2);
    await ask(requestOf(bodyOf(), [...LINES, 'Bursar-Tenant: acme']), 3);
    await ask(requestOf(bodyOf(), LINES, `POST ${ROUTE.path}?x=1 HTTP/1.1`), 4);
    await ask(requestOf(bodyOf()), 5);
    expect(seen.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 201', 'HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200']);
    expect(shortCalls()).toBe(4);
    socket.destroy();
  });

  test('is closed when it has been idle for as long as the client is told, and not before', async () => {
    const { url } = await start([shortRoute(later)], { keepAliveMs: 1_000 });
    const { socket, seen } = await open(url);
    socket.write(requestOf(bodyOf()));
    while (seen.text === '') await delay(2);
    const answeredAt = performance.now();
    expect(seen.text).toContain('Keep-Alive: timeout=1\r\n');
    while (!seen.closed) await delay(5);
    expect(performance.now() - answeredAt).toBeGreaterThan(1_000);
  });

  test.each([
    ['nothing', ''],
    ['half a head', requestOf(bodyOf()).slice(0, 40)],
    ['half a body', requestOf(bodyOf()).slice(0, -5)],
  ])('that sends %s is told so in time', async (_what, text) => {
    const { url } = await start([shortRoute(later)], { requestTimeoutMs: 300, timeoutCheckMs: 50 });
    const { seen, socket } = await open(url);
    socket.write(text);
    while (!seen.closed) await delay(5);
    expect(seen.text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that drips a request byte by byte gets no more time for it', async () => {
    const { url } = await start([shortRoute(later)], { requestTimeoutMs: 300, timeoutCheckMs: 50 });
    const { seen, socket } = await open(url);
    for (let n = 0; !seen.closed && n < 100; n += 1) {
      socket.write(requestOf(bodyOf())[n] as string);
      await delay(20);
    }
    expect(seen.text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('is answered 400 where it sends what is no request, also after an answer', async () => {
    const { url } = await start([shortRoute(later)]);
    const { socket, seen } = await open(url);
    socket.write(requestOf(bodyOf()));
    while (seen.text === '') await delay(2);
    socket.write('no request\r\n\r\n');
    while (!seen.closed) await delay(2);
    expect(seen.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('is served request by request, in order, where it does not wait for its answers', async () => {
    const { url } = await start([shortRoute(later)]);
    const { socket, seen } = await open(url);
    socket.write(requestOf(bodyOf()).repeat(2));
    socket.write(requestOf(bodyOf({ category: 'made' })));
    while ((seen.text.match(/HTTP\/1\.1 201/g) ?? []).length < 1) await delay(2);
    expect(seen.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 201']);
    socket.destroy();
  });

  test('is not read on while it waits for an answer, whatever its client sends', async () => {
    const { url } = await start([shortRoute(later)]);
    const { socket } = await open(url);
    socket.write(requestOf(bodyOf({ category: 'hang' })));
    while (shortCalls() < 1) await delay(2);
    let isHeldUp = false;
    // More than the kernel keeps of it.
    for (let n = 0; n < 256 && !isHeldUp; n += 1) {
      if (socket.write(Buffer.alloc(64 * 1024, 'x'))) continue;
      isHeldUp = await Promise.race([once(socket, 'drain').then(() => false), delay(500, true)]);
    }
    expect(isHeldUp).toBe(true);
    socket.destroy();
    await once(socket, 'close');
  });

  test('ends after an answer that says so, also where its client leaves its side open', async () => {
    const { service, url } = await start([shortRoute(later)]);
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined).write(requestOf('{'));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\nconnection: close\r\n/);
    const { promise, resolve } = Promise.withResolvers<void>();
    const count = (): void => {
      service.app
        .getHttpServer()
        .getConnections((_error: unknown, connections: number) => (connections === 0 ? resolve() : setTimeout(count, 5)));
    };
    count();
    await promise;
    socket.destroy();
  });

  test('ends with its process: at once when idle, and after its answer when not', async () => {
    const { service, url } = await start([shortRoute(later)]);
    const [idle, busy] = [await open(url), await open(url)];
    idle.socket.write(requestOf(bodyOf()));
    while (idle.seen.text === '') await delay(2);
    busy.socket.write(requestOf(bodyOf({ category: 'hang' })));
    while (shortCalls() < 2) await delay(2);
    const stopping = service.stop();
    while (!idle.seen.closed) await delay(2);
    expect(busy.seen).toEqual({ text: '', closed: false });
    answerAll();
    await stopping;
    expect(busy.seen.text).toMatch(/^HTTP\/1\.1 200 /);
  });
});
