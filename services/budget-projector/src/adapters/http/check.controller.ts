import { CheckBody, CheckConstraintsBody, ReadQuery, type Route, routeOf } from '@bursar/contracts/http';
import { Caller, type Principal, readRequest, writeAnswer } from '@bursar/platform';
import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Check, type Way } from '../../features/check.js';
import { FORWARDED_HEADER } from './http-owners.js';

const ROUTES = { check: routeOf('check'), constraints: routeOf('checkConstraints') };

/** What {@link readRequest} has made already; here it gets its types back. */
type Read = Readonly<{ params: unknown; query: z.output<typeof ReadQuery>; body: unknown }>;

@Controller()
export class CheckController {
  constructor(private readonly checks: Check) {}

  @Post(ROUTES.check.path)
  async check(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { query, body } = read(ROUTES.check, request);
    return writeAnswer(reply, await this.checks.check(body as z.output<typeof CheckBody>, wayOf(request, caller, query)));
  }

  @Post(ROUTES.constraints.path)
  async constraints(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { params, query, body } = read(ROUTES.constraints, request);
    const { id } = params as { id: string };
    return writeAnswer(
      reply,
      await this.checks.constraints(id, body as z.output<typeof CheckConstraintsBody>, wayOf(request, caller, query)),
    );
  }
}

const read = (route: Route, request: FastifyRequest): Read => readRequest(route, request) as Read;

const wayOf = (request: FastifyRequest, { tenant }: Principal, { minPosition }: Read['query']): Way => {
  const { prefer } = request.headers;
  return {
    call: {
      tenant,
      path: request.url,
      body: request.rawBody?.toString('utf8') ?? '',
      prefer: prefer === undefined ? null : String(prefer),
    },
    minPosition: minPosition ?? null,
    isForwarded: request.headers[FORWARDED_HEADER] !== undefined,
  };
};
