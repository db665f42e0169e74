import { type CheckBody, type CheckConstraintsBody, routeOf } from '@bursar/contracts/http';
import { Caller, type Principal, writeAnswer } from '@bursar/platform';
import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Check } from '../../features/check.js';
import { read, wayOf } from './way.js';

const ROUTES = { check: routeOf('check'), constraints: routeOf('checkConstraints') };

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
