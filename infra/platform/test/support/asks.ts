import { routeOf } from '@bursar/contracts/http';
import { Controller, Module, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../../src/auth/principal.js';
import { loadConfig, ServiceEnv } from '../../src/config.js';
import { readRequest } from '../../src/http/contract-routes.js';
import type { ShortRequest, ShortRoute } from '../../src/http/exchange.js';
import { writeAnswer } from '../../src/http/once.js';
import { Problem } from '../../src/http/problem.js';
import { createService, type Service, type ServiceOptions } from '../../src/service.js';

export const KEY = 'platform-test-key-0123456789';
export const ROUTE = routeOf('check');

let never = Promise.withResolvers<void>();
/** What hangs is answered now. */
export const answerAll = (): void => never.resolve();

let short = 0;
/** Calls that took the short way since the last start. */
export const shortCalls = (): number => short;

type Asked = Pick<ShortRequest, 'body' | 'caller' | 'idempotencyKey' | 'url'> & Readonly<{ rawBody: Buffer | null }>;

/** What both ways answer: what they were asked, or the failure that the category names. */
export const answerOf = ({ body, caller, idempotencyKey, url, rawBody }: Asked) => {
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
export const later = async (asked: Asked) => {
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

export const shortRoute = (answer: ShortRoute['answer']): ShortRoute => ({
  route: ROUTE,
  answer: (asked) => {
    short += 1;
    return answer(asked);
  },
});

const running: Service[] = [];
/** For after each test. */
export const stopAll = async (): Promise<void> => {
  never.resolve();
  for (const service of running.splice(0)) await service.stop();
};

/** A service that answers `POST /check` with what it was asked, or the failure that the category names; by the short way where there is one. */
export const start = async (shortRoutes: readonly ShortRoute[], limits: ServiceOptions['limits'] = {}) => {
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
