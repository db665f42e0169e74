import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { routeOf, routesOf } from '@bursar/contracts/http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { Authenticator } from '../src/auth/authenticator.js';
import { Caller, type Principal } from '../src/auth/principal.js';
import { loadConfig, ServiceEnv } from '../src/config.js';
import { Problem } from '../src/http/problem.js';
import { ZodPipe } from '../src/http/validate.js';
import { createService, type Service, type ServiceOptions } from '../src/service.js';

const KEY = 'platform-test-key-0123456789';
const Thing = z.strictObject({ name: z.string().max(5), size: z.number().int().min(0).optional() });

/** Lets a test hold a request in its handler. */
let gate = Promise.withResolvers<void>();
/** What happened in the process, in order. */
let order: string[] = [];

class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

@Controller('things')
class ThingsController {
  @Post() create(@Body(new ZodPipe(Thing)) thing: z.infer<typeof Thing>): object {
    return thing;
  }
  @Get('mine') mine(@Caller() caller: Principal): object {
    return caller;
  }
  @Get('slow') async slow(): Promise<object> {
    order.push('begun');
    await gate.promise;
    order.push('handled');
    return { done: true };
  }
  @Get('broken') broken(): never {
    throw new Error('secret-canary postgres://bursar:hunter2@db/x');
  }
  @Get('outage') outage(): never {
    throw new StoreUnavailableError('secret-canary');
  }
  @Get('block') block(@Query('ms') ms: string): object {
    const until = performance.now() + Number(ms);
    while (performance.now() < until);
    return {};
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let running: Service | null = null;
afterEach(async () => {
  gate.resolve();
  await running?.stop();
  running = null;
});

const start = async (options: Partial<ServiceOptions> = {}): Promise<{ service: Service; url: string; opsUrl: string }> => {
  gate = Promise.withResolvers<void>();
  order = [];
  const config = loadConfig(ServiceEnv, { BURSAR_ADMIN_KEY: KEY, OPS_PORT: '0', LOG_LEVEL: 'silent' });
  // A machine that stalls is not what these tests are about, but for the one that says so.
  const limits = { loopLagMs: 60_000, ...options.limits };
  running = await createService({ name: 'things', module: ThingsModule, config, ...options, limits });
  const { url, opsUrl } = await running.start();
  return { service: running, url, opsUrl: opsUrl ?? '' };
};

const call = async (url: string, init: Omit<RequestInit, 'headers'> & { key?: string; headers?: Record<string, string> } = {}) => {
  const { key = KEY, headers, ...rest } = init;
  const response = await fetch(url, {
    ...rest,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
};

const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A row as it is before anybody has built it. */
const UNBUILT = [{ ...routeOf('reserve'), built: false }];

describe('problems', () => {
  test('all that is wrong is listed, each with pointer and code; the problem takes the first code', async () => {
    const { url } = await start();
    const { status, body } = await call(`${url}/things`, { method: 'POST', body: '{"name":"too long","size":-1,"colour":"red"}' });
    expect([status, body.code, body.errors]).toEqual([
      400,
      'too_long',
      [
        { pointer: '/name', message: expect.any(String), code: 'too_long' },
        { pointer: '/size', message: expect.any(String), code: 'too_small' },
        { pointer: '/colour', message: expect.stringContaining('colour'), code: 'unknown_field' },
      ],
    ]);
  });

  test('a fault is 500 and says nothing of itself', async () => {
    const { url } = await start();
    const { status, text, body } = await call(`${url}/things/broken`);
    expect([status, body.code, body.retryable]).toEqual([500, 'internal_error', false]);
    expect(text).not.toMatch(/canary|hunter2|Error:|\.ts/);
  });

  test('F1 a store outage is 503 with an unknown outcome and Retry-After', async () => {
    const { url } = await start();
    const { status, headers, body, text } = await call(`${url}/things/outage`);
    expect([status, body.code, body.outcome, body.retryable]).toEqual([503, 'store_unavailable', 'unknown', true]);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(text).not.toContain('canary');
  });

  test('a handler that does not answer is answered for in time', async () => {
    const { url } = await start({ limits: { handlerTimeoutMs: 100 } });
    const { status, body } = await call(`${url}/things/slow`);
    expect([status, body.code, body.outcome]).toEqual([503, 'timed_out', 'unknown']);
  });

  test('a request id of the caller is kept, an odd one is not', async () => {
    const { url } = await start();
    expect((await call(`${url}/none`, { headers: { 'x-request-id': 'trace-7' } })).body.instance).toBe('urn:bursar:request:trace-7');
    expect((await call(`${url}/none`, { headers: { 'x-request-id': '<script>' } })).body.instance).not.toContain('script');
  });

  test('a row of the contract that nobody built validates, then answers 501', async () => {
    const { url } = await start({ routes: UNBUILT });
    const post = (body: string) => call(`${url}/api/v1/reservations`, { method: 'POST', body });
    expect((await post('{"scopes":["team:ml"],"amount":"1"}')).body.code).toBe('not_implemented');
    expect((await post('{"scope":"team:ml","amount":"1"}')).status).toBe(400);
    expect((await post('')).body.code).toBe('empty_body');
    // IN-A8
    for (const body of ['null', '7', '"x"', '[]']) expect([body, (await post(body)).body.code]).toEqual([body, 'not_an_object']);
  });
});

describe('problems of what is no controller', () => {
  const extend: ServiceOptions['extend'] = (fastify) => {
    fastify.post('/plain', () => {
      throw new Problem('upstream_unavailable');
    });
    void fastify.register((scope, _options, done) => {
      scope.get('/plain/inner', () => {
        throw new Error('secret-canary');
      });
      done();
    });
  };

  test.each([
    ['thrown by a plain route', '/plain', { method: 'POST', body: '{}' }, 503, 'upstream_unavailable'],
    [
      'thrown by a hook before it',
      '/plain',
      { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    ['thrown by a reader before it', '/plain', { method: 'POST', body: '{' }, 400, 'bad_json'],
    ['thrown in a scope of its own', '/plain/inner', {}, 500, 'internal_error'],
    [
      'thrown by a row that is not built',
      '/api/v1/reservations',
      { method: 'POST', body: '{"scopes":["team:ml"],"amount":"1"}' },
      501,
      'not_implemented',
    ],
    ['found by a row that is not built', '/api/v1/reservations', { method: 'POST', body: '{"amount":"1"}' }, 400, 'required'],
  ])('%s', async (_name, path, init, status, code) => {
    const { url } = await start({ extend, routes: UNBUILT });
    const { status: given, headers, text, body } = await call(`${url}${path}`, init);
    expect([given, headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(body).toMatchObject({
      type: expect.stringContaining('/problems/'),
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: expect.stringMatching(/^urn:bursar:request:/),
      code,
      retryable: status === 503,
    });
    expect(text).not.toContain('canary');
    if (status === 503) expect([body.outcome, headers.get('retry-after')]).toEqual(['unknown', '1']);
  });
});

describe('a body that is larger than allowed', () => {
  const LIMIT = 100_000;
  const limits = { bodyBytes: LIMIT, requestTimeoutMs: 3_000 };
  const headOf = (...lines: readonly string[]): string =>
    ['POST /things HTTP/1.1', 'Host: x', `Authorization: Bearer ${KEY}`, 'Content-Type: application/json', ...lines, '', ''].join('\r\n');

  /** Sends all of it before it reads anything, as many clients do; rejects when the connection is reset on the way. */
  const sendAll = async (url: string, head: string, pieces: readonly string[]): Promise<string> => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    socket.pause();
    socket.on('error', reject);
    // Awaited only once all is sent.
    promise.catch(() => undefined);
    socket.write(head);
    for (const piece of pieces) {
      if (socket.destroyed) return promise;
      await new Promise((written) => socket.write(piece, written));
      await new Promise((next) => setImmediate(next));
    }
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.resume();
    return promise;
  };

  const MIB = 1024 * 1024;
  test.each([
    ['announced', headOf(`Content-Length: ${12 * MIB}`), Array.from({ length: 12 }, () => ' '.repeat(MIB))],
    [
      'chunked',
      headOf('Transfer-Encoding: chunked'),
      [...Array.from({ length: 12 }, () => `${MIB.toString(16)}\r\n${' '.repeat(MIB)}\r\n`), '0\r\n\r\n'],
    ],
  ])('IN-A11 %s: the answer reaches a client that first sends all of it, and the connection ends', async (_name, head, pieces) => {
    const { url } = await start({ limits });
    const text = await sendAll(url, head, pieces);
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\nconnection: close\r\n/i);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  test('a sender without end is not listened to for ever', async () => {
    const { url } = await start({ limits });
    const endless = Array.from({ length: 200 }, () => ' '.repeat(MIB));
    await expect(sendAll(url, headOf(`Content-Length: ${1_000 * MIB}`), endless)).rejects.toMatchObject({
      code: expect.stringMatching(/EPIPE|ECONNRESET/),
    });
  });
});

test('IN-A23 an Idempotency-Key that is none is 400 on every POST, and nowhere else looked at', async () => {
  const { url } = await start({ routes: routesOf('ingestion') });
  const key = (text: string) => ({ headers: { 'idempotency-key': text } });
  for (const text of ['', ' ', 'a\tb', 'k'.repeat(256), 'k'.repeat(257)]) {
    for (const path of ['/things', '/api/v1/usage/e/void']) {
      const { status, body } = await call(`${url}${path}`, { method: 'POST', body: '{}', ...key(text) });
      expect([text, status, body.code]).toEqual([text, 400, 'idempotency_key']);
    }
    expect((await call(`${url}/things/mine`, key(text))).status).toBe(200);
  }
  expect((await call(`${url}/things`, { method: 'POST', body: '{"name":"x"}', ...key('k'.repeat(255)) })).status).toBe(201);
});

describe('who asks', () => {
  test('the admin key is a platform admin of tenant default, and Bursar-Tenant reaches any other', async () => {
    const { url } = await start();
    expect((await call(`${url}/things/mine`)).body).toMatchObject({ tenant: 'default', roles: ['platform-admin'], actor: 'key:admin' });
    expect((await call(`${url}/things/mine`, { headers: { 'bursar-tenant': 'acme' } })).body.tenant).toBe('acme');
  });

  /** A key of one tenant with three requests a second. */
  class TenantKey extends Authenticator {
    authenticate(credential: string): Principal | null {
      if (credential !== 'tenant-key') return null;
      return { tenant: 'acme', roles: ['producer'], actor: 'key:k1', keyId: 'k1', requestsPerSecond: 3 };
    }
  }

  test('a key of a tenant may not act on another', async () => {
    const { url } = await start({ authenticator: new TenantKey() });
    const as = (tenant: string) => call(`${url}/things/mine`, { key: 'tenant-key', headers: { 'bursar-tenant': tenant } });
    expect([(await as('acme')).status, (await as('other')).body.code]).toEqual([200, 'forbidden']);
  });

  test('a key’s rate is limited, and every answer says how much is left', async () => {
    const { url } = await start({ authenticator: new TenantKey() });
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(`${url}/things/mine`, { key: 'tenant-key' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429, 429]);
    const refused = answers.find(({ status }) => status === 429);
    expect([refused?.body.code, refused?.headers.get('retry-after'), refused?.headers.get('ratelimit-policy')]).toEqual([
      'rate_limited',
      '1',
      '"requests";q=3;w=1',
    ]);
    expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"requests";r=[0-2];t=1$/);
  });
});

describe('operations', () => {
  test('ready only while every check passes; live regardless', async () => {
    const { service, url, opsUrl } = await start();
    let up = false;
    service.readiness.add('store', () => {
      if (!up) throw new Error('secret-canary');
    });
    for (const base of [url, opsUrl]) {
      const response = await fetch(`${base}/readyz`);
      expect([response.status, await response.json()]).toEqual([
        503,
        { status: 'not_ready', checks: [{ name: 'store', ok: false, reason: 'Error' }] },
      ]);
      expect((await fetch(`${base}/livez`)).status).toBe(200);
    }
    up = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test('metrics are on the ops listener alone', async () => {
    const { url, opsUrl } = await start();
    await call(`${url}/things/mine`);
    const text = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(text).toMatch(/bursar_http_request_duration_seconds_count\{.*route="\/things\/mine".*\} 1/);
    expect((await call(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${opsUrl}/things/mine`)).status).toBe(404);
  });

  test('F47 a late event loop refuses requests with Retry-After, and takes them again', async () => {
    const { url } = await start({ limits: { loopLagMs: 40 } });
    const blocking = Array.from({ length: 12 }, () => call(`${url}/things/block?ms=120`));
    const shed = (await Promise.all(blocking)).filter(({ status }) => status === 503);
    let last = shed[0] ?? (await call(`${url}/things/mine`));
    await eventually(async () => {
      if (last.status !== 503) {
        const again = await Promise.all(Array.from({ length: 12 }, () => call(`${url}/things/block?ms=120`)));
        last = again.find(({ status }) => status === 503) ?? last;
      }
      return last.status === 503;
    });
    expect([last.body.code, last.headers.get('retry-after')]).toEqual(['overloaded', '1']);
    await eventually(async () => (await call(`${url}/things/mine`)).status === 200);
  });

  test('stopping: not ready first, what is in flight is answered, then nothing listens', async () => {
    const { service, url } = await start();
    service.onStop(() => void order.push('store'));
    service.onStop(() => void order.push('bus'));
    const slow = call(`${url}/things/slow`);
    await eventually(async () => order.includes('begun'));
    const stopping = service.stop();
    expect(await service.readiness.results()).toEqual([{ name: 'process', ok: false, reason: 'stopping' }]);
    gate.resolve();
    expect((await slow).status).toBe(200);
    await stopping;
    expect(order).toEqual(['begun', 'handled', 'bus', 'store']);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  test('stopping does not wait for who only keeps a connection ready, but for who has begun to ask', async () => {
    const { service, url } = await start();
    const { hostname, port } = new URL(url);
    const sockets = await Promise.all(
      [1, 2].map(async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        return socket;
      }),
    );
    const [silent, asking] = sockets as [Socket, Socket];
    asking.write('GET /livez HTTP/1.1\r\n');
    await eventually(async () => (await call(`${url}/livez`)).status === 200);
    const stopping = service.stop();
    await once(silent, 'close');
    asking.write('host: x\r\n\r\n');
    const [answer] = (await once(asking, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    await stopping;
  });

  test('nor for ever for who has begun to ask and stalls', async () => {
    const { service, url } = await start({ limits: { requestTimeoutMs: 1_000, handlerTimeoutMs: 1_000 } });
    const { hostname, port } = new URL(url);
    const stalled = connect(Number(port), hostname);
    await once(stalled, 'connect');
    stalled.write('GET /livez HTTP/1.1\r\n');
    await eventually(async () => (await call(`${url}/livez`)).status === 200);
    const closed = once(stalled, 'close');
    await service.stop();
    await closed;
  });
});

test('a wrong configuration ends the boot with 78 and one line', async () => {
  const script = `import('${new URL('../dist/index.js', import.meta.url).href}').then(({ runService, loadConfig, ServiceEnv }) =>
    runService(async () => loadConfig(ServiceEnv, { PORT: 'x' })));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect([code, stderr.trim().split('\n').length]).toEqual([78, 1]);
  expect(stderr).toMatch(/PORT.*BURSAR_ADMIN_KEY/);
});
