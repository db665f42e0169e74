import { DryRunQuery, routeOf } from '@bursar/contracts/http';
import { Caller, Once, type Principal, ZodPipe } from '@bursar/platform';
import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { DryRunUsage } from '../../features/dry-run-usage.js';
import { RecordUsage } from '../../features/record-usage.js';
import { contentOf, readUsageRequest } from './usage-body.js';

type Answer = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: object }>;

const { operationId } = routeOf('recordUsage');

@Controller('api/v1/usage')
export class UsageController {
  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly dryRunUsage: DryRunUsage,
    private readonly once: Once,
  ) {}

  @Post()
  @HttpCode(202)
  async record(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query(new ZodPipe(DryRunQuery)) { dryRun }: z.infer<typeof DryRunQuery>,
    @Caller() caller: Principal,
  ): Promise<object | undefined> {
    const answer = dryRun ? this.rehearse : this.store;
    const key = request.idempotencyKey;
    if (key === null) {
      const { status, headers, body } = await answer(request, caller);
      reply.code(status).headers(headers);
      return body;
    }
    const use = { tenant: caller.tenant, key, operationId, body: contentOf(request) };
    return this.once.answer(use, request, reply, async () => {
      const { status, headers, body } = await answer(request, caller);
      return { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) };
    });
  }

  private readonly store = async (request: FastifyRequest, { tenant, actor }: Principal): Promise<Answer> => {
    const sender = { tenant, actor, via: 'http', correlationId: request.id, trace: request.trace } as const;
    const { results, position } = await this.recordUsage.execute(readUsageRequest(request), sender);
    return { status: 202, headers: position === null ? {} : { 'bursar-position': position }, body: { results } };
  };

  private readonly rehearse = async (request: FastifyRequest, { tenant }: Principal): Promise<Answer> => {
    const results = await this.dryRunUsage.execute(readUsageRequest(request), tenant);
    return { status: 200, headers: {}, body: { results } };
  };
}
