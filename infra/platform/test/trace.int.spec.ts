import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { loadConfig, ServiceEnv } from '../src/config.js';
import { createLogger, Logger } from '../src/ops/logger.js';
import { createService, type Service } from '../src/service.js';

const KEY = 'platform-test-key-0123456789';
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

const lines: Record<string, unknown>[] = [];
const logger = createLogger('traced', 'info', { write: (line) => void lines.push(JSON.parse(line)) });

@Controller('traced')
class TracedController {
  constructor(private readonly log: Logger) {}
  @Post() async work(@Req() request: FastifyRequest): Promise<object> {
    await delay(1);
    this.log.info({ body: request.body }, 'worked');
    return { trace: request.trace };
  }
  @Get('broken') broken(): never {
    throw new Error('broken');
  }
}

@Module({ controllers: [TracedController] })
class TracedModule {}

let service: Service;
let url: string;
beforeAll(async () => {
  const config = loadConfig(ServiceEnv, { BURSAR_ADMIN_KEY: KEY });
  service = await createService({ name: 'traced', module: TracedModule, config, logger, limits: { loopLagMs: 60_000 } });
  ({ url } = await service.start());
});
afterAll(() => service.stop());

const post = async (headers: Record<string, string>, body = '{"n":1}') => {
  const response = await fetch(`${url}/traced`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body,
  });
  return ((await response.json()) as { trace: { traceparent: string; tracestate?: string } | null }).trace;
};
const spanOf = (traceparent = ''): string => traceparent.split('-')[2] ?? '';

test('a request goes on in its sender’s trace, in a span of its own each time', async () => {
  const [one, two] = [await post({ traceparent: SENT, tracestate: 'a=1, b=2' }), await post({ traceparent: SENT })];
  expect(one).toEqual({ traceparent: expect.stringMatching(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`)), tracestate: 'a=1,b=2' });
  expect(two).not.toHaveProperty('tracestate');
  expect(new Set([SENT, one?.traceparent, two?.traceparent].map(spanOf)).size).toBe(3);
});

test.each([
  ['no trace', {}],
  ['a trace that is not valid', { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }],
  ['a state without a trace', { tracestate: 'a=1' }],
])('a request with %s has none, and is served', async (_what, headers: Record<string, string>) => {
  expect(await post(headers)).toBeNull();
});

test('what is logged on the way names its own trace, also among others and after awaiting', async () => {
  const traceOf = (n: number): string | undefined => (n % 2 === 0 ? undefined : `${n}`.padStart(32, 'a'));
  const numbers = Array.from({ length: 20 }, (_, n) => n + 100);
  const headersOf = (n: number): Record<string, string> =>
    traceOf(n) === undefined ? {} : { traceparent: `00-${traceOf(n)}-00f067aa0ba902b7-00` };
  await Promise.all(numbers.map((n) => post(headersOf(n), `{"n":${n}}`)));
  const worked = new Map(lines.flatMap(({ msg, body, trace_id }) => (msg === 'worked' ? [[(body as { n: number }).n, trace_id]] : [])));
  for (const n of numbers) expect([n, worked.has(n), worked.get(n)]).toEqual([n, true, traceOf(n)]);
});

test('a failure is logged with its trace, once', async () => {
  const answer = await fetch(`${url}/traced/broken`, { headers: { authorization: `Bearer ${KEY}`, traceparent: SENT } });
  expect(answer.status).toBe(500);
  expect(lines.filter(({ msg }) => msg === 'a request failed')).toMatchObject([
    { trace_id: TRACE_ID, span_id: expect.stringMatching(/^[0-9a-f]{16}$/) },
  ]);
});
