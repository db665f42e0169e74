import { routeOf, VoidBody } from '@bursar/contracts/http';
import { Caller, Once, type Principal, Problem, readRequest } from '@bursar/platform';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { VoidUsage } from '../../features/void-usage.js';

const route = routeOf('voidUsage');
const Input = z.object({ params: z.object({ eventId: z.string() }), body: VoidBody });

@Controller('api/v1/usage')
export class VoidController {
  constructor(
    private readonly voidUsage: VoidUsage,
    private readonly once: Once,
  ) {}

  @Post(':eventId/void')
  @HttpCode(202)
  async void(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() { tenant, actor }: Principal,
  ): Promise<object | undefined> {
    const { params, body: input } = Input.parse(readRequest(route, request));
    const sender = { tenant, actor, via: 'http', correlationId: request.id, trace: request.trace } as const;
    const answer = async () => {
      const receipt = await this.voidUsage.execute(params.eventId, input.reason, sender);
      if (receipt === null) throw new Problem('not_found', 'There is no such usage.');
      return { headers: { 'bursar-position': receipt.position }, body: receipt };
    };
    const key = request.idempotencyKey;
    if (key === null) {
      const { headers, body } = await answer();
      reply.headers(headers);
      return body;
    }
    return this.once.answer({ tenant, key, operationId: route.operationId, body: request.body }, request, reply, async () => {
      const { headers, body } = await answer();
      return { status: 202, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) };
    });
  }
}
