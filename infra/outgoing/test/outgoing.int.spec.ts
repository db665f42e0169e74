import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Outgoing } from '../src/outgoing.js';
import { httpsTarget, httpTarget, listen, stopServers } from './support.js';

afterEach(stopServers);

const outgoing = new Outgoing({ allowPrivate: true });
const post = (url: string, from = outgoing) => from.post({ url, headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
const answering =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = '') =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };

test('the bytes, the path and the host arrive as they were given', async () => {
  let seen = '';
  const url = await httpTarget(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen = `${request.method} ${request.url} ${request.headers.host} ${request.headers['content-type']} ${Buffer.concat(chunks)}`;
    response.writeHead(204).end();
  });
  expect(await post(`${url}/hook?b=c`)).toEqual({ kind: 'answered', status: 204, retryAfter: undefined });
  expect(seen).toBe(`POST /hook?b=c ${new URL(url).host} application/json {"a":1}`);
});

describe('IN-G26: what a target may answer', () => {
  test('302 to a private address is an answer, and nobody goes there', async () => {
    let visits = 0;
    const inside = await httpTarget((_, response) => {
      visits += 1;
      response.end();
    });
    const url = await httpTarget(answering(302, { location: `${inside}/secret` }));
    expect(await post(url)).toMatchObject({ kind: 'answered', status: 302 });
    expect(visits).toBe(0);
  });

  test('of a body of 1 GB no more is taken than 64 KB and what the sockets hold', async () => {
    let sent = 0;
    let cutOff: () => void = () => undefined;
    const ended = new Promise<void>((done) => {
      cutOff = done;
    });
    const url = await httpTarget((_, response) => {
      response.writeHead(200, { 'content-length': String(1024 ** 3) }).once('close', cutOff);
      const chunk = Buffer.alloc(256 * 1024);
      const more = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        if (response.write(chunk)) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    expect(await post(url)).toMatchObject({ kind: 'answered', status: 200 });
    await ended;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('a gzip bomb stays packed', async () => {
    const before = process.memoryUsage().rss;
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const url = await httpTarget(answering(200, { 'content-encoding': 'gzip' }, bomb));
    expect(await post(url)).toMatchObject({ kind: 'answered', status: 200 });
    // The test itself made 64 MB to pack; unpacking would be another.
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  test.each([
    ['the body', (response: ServerResponse) => response.writeHead(200, { 'content-length': '100000' })],
    ['the headers', (response: ServerResponse) => response.socket?.write('HTTP/1.1 200 OK\r\nx-drip: ')],
  ])('%s at 1 B/s ends at the deadline', async (_, begin) => {
    const url = await httpTarget((_request, response) => {
      begin(response);
      const drip = setInterval(() => (response.headersSent ? response : response.socket)?.write('x'), 20);
      response.once('close', () => clearInterval(drip));
    });
    expect(await post(url, new Outgoing({ allowPrivate: true, timeoutMs: 300 }))).toEqual({ kind: 'no_answer' });
  });

  test('410 and 429 with its Retry-After are told', async () => {
    expect(await post(await httpTarget(answering(410)))).toMatchObject({ status: 410 });
    const url = await httpTarget(answering(429, { 'retry-after': '1000000000' }));
    expect(await post(url)).toEqual({ kind: 'answered', status: 429, retryAfter: '1000000000' });
  });

  test('a certificate nobody vouches for, or for another name, is no answer; one that is trusted is called with its name', async () => {
    let served = '';
    const { port, ca } = await httpsTarget('hooks.example.com', (request, response) => {
      served = `${(request.socket as TLSSocket & { servername?: string }).servername} ${request.headers.host}`;
      response.writeHead(200).end();
    });
    const resolver = async () => [{ address: '127.0.0.1', family: 4 }];
    const url = `https://hooks.example.com:${port}/`;
    expect(await post(url, new Outgoing({ allowPrivate: true, resolver }))).toEqual({ kind: 'no_answer' });
    expect(await post(`https://other.example.com:${port}/`, new Outgoing({ allowPrivate: true, resolver, ca }))).toEqual({
      kind: 'no_answer',
    });
    expect(served).toBe('');
    expect(await post(url, new Outgoing({ allowPrivate: true, resolver, ca }))).toMatchObject({ kind: 'answered', status: 200 });
    expect(served).toBe(`hooks.example.com hooks.example.com:${port}`);
  });
});

test('IN-G25: the name is looked up once, and the connection goes to what was judged', async () => {
  const url = await httpTarget(answering(200));
  const answers = ['127.0.0.1', '127.0.0.2'];
  let lookups = 0;
  const resolver = async () => [{ address: answers[lookups++] ?? '127.0.0.3', family: 4 }];
  const rebound = new Outgoing({ allowPrivate: true, resolver });
  // Nothing listens on 127.0.0.2: a second look-up of the same call would fail.
  expect(await post(url.replace('127.0.0.1', 'rebinding.example'), rebound)).toMatchObject({ kind: 'answered', status: 200 });
  expect(lookups).toBe(1);
  expect(await post(url.replace('127.0.0.1', 'rebinding.example'), rebound)).toEqual({ kind: 'no_answer' });
  expect(lookups).toBe(2);
});

test('IN-G25: an address that turned private between two attempts is refused at the second', async () => {
  let lookups = 0;
  const resolver = async () => [{ address: lookups++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
  const strict = new Outgoing({ allowPrivate: false, resolver });
  await strict.judge('https://rebinding.example/');
  expect(await post('https://rebinding.example/', strict)).toMatchObject({ kind: 'refused' });
});

test('a closed port, a mute one and a name that does not exist look the same', async () => {
  const closed = 'http://127.0.0.1:1/';
  const mute = `http://127.0.0.1:${await listen(createTcpServer() as never)}/`;
  const hurried = new Outgoing({ allowPrivate: true, timeoutMs: 300, resolver: () => Promise.reject(new Error('ENOTFOUND')) });
  const outcomes = await Promise.all([post(closed), post(mute, hurried), post('http://nowhere.example/', hurried)]);
  expect(outcomes).toEqual([{ kind: 'no_answer' }, { kind: 'no_answer' }, { kind: 'no_answer' }]);
});

test('a name server that never answers ends at the deadline', async () => {
  const stuck = new Outgoing({ allowPrivate: true, timeoutMs: 200, resolver: () => new Promise(() => undefined) });
  expect(await post('http://slow.example/', stuck)).toEqual({ kind: 'no_answer' });
});
