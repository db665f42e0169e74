import { randomUUID } from 'node:crypto';
import { AdjustBody, type Route, routeOf, VoidBody } from '@bursar/contracts/http';
import { Caller, Once, type Principal, readRequest } from '@bursar/platform';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AdjustUsage } from '../../features/adjust-usage.js';
import type { UsageSender } from '../../features/sender.js';
import { VoidUsage } from '../../features/void-usage.js';

const params = z.object({ eventId: z.string() });
const Void = z.object({ params, body: VoidBody });
const Adjust = z.object({ params, body: AdjustBody });
const VOID = routeOf('voidUsage');
const ADJUST = routeOf('adjustUsage');

type Receipt = Readonly<{ position: string }>;
/** Runs under the id of the request, which is the same for all that share an Idempotency-Key. */
type Work = (requestId: string, sender: UsageSender) => Promise<Receipt>;

/** What is said of usage after it was recorded (PRODUCT A8). */
@Controller('api/v1/usage')
export class CorrectionsController {
  constructor(
    private readonly voidUsage: VoidUsage,
    private readonly adjustUsage: AdjustUsage,
    private readonly once: Once,
  ) {}

  @Post(':eventId/void')
  @HttpCode(202)
  async void(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { params, body } = Void.parse(readRequest(VOID, request));
    return this.answer(VOID, request, reply, caller, (_, sender) => this.voidUsage.execute(params.eventId, body.reason, sender));
  }

  @Post(':eventId/adjust')
  @HttpCode(202)
  async adjust(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { params, body } = Adjust.parse(readRequest(ADJUST, request));
    return this.answer(ADJUST, request, reply, caller, (id, sender) => this.adjustUsage.execute(params.eventId, body, id, sender));
  }

  private async answer(
    { operationId }: Route,
    request: FastifyRequest,
    reply: FastifyReply,
    { tenant, actor }: Principal,
    work: Work,
  ): Promise<object | undefined> {
    const sender = { tenant, actor, via: 'http', correlationId: request.id, trace: request.trace } as const;
    const key = request.idempotencyKey;
    if (key === null) {
      const receipt = await work(randomUUID(), sender);
      reply.header('bursar-position', receipt.position);
      return receipt;
    }
    return this.once.answer({ tenant, key, operationId, body: request.body }, request, reply, async ({ requestId }) => {
      const receipt = await work(requestId, sender);
      const headers = { 'bursar-position': receipt.position, 'content-type': 'application/json; charset=utf-8' };
      return { status: 202, headers, body: JSON.stringify(receipt) };
    });
  }
}
