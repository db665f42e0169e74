import { DryRunQuery } from '@bursar/contracts/http';
import { Caller, type Principal, ZodPipe } from '@bursar/platform';
import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { DryRunUsage } from '../../features/dry-run-usage.js';
import { RecordUsage } from '../../features/record-usage.js';
import { readUsageRequest } from './usage-body.js';

@Controller('api/v1/usage')
export class UsageController {
  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly dryRunUsage: DryRunUsage,
  ) {}

  @Post()
  @HttpCode(202)
  async record(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query(new ZodPipe(DryRunQuery)) { dryRun }: z.infer<typeof DryRunQuery>,
    @Caller() caller: Principal,
  ): Promise<unknown> {
    const items = readUsageRequest(request);
    if (dryRun) {
      reply.code(200);
      return { results: await this.dryRunUsage.execute(items, caller.tenant) };
    }
    const receipt = await this.recordUsage.execute(items, {
      tenant: caller.tenant,
      actor: caller.actor,
      via: 'http',
      correlationId: request.id,
      trace: request.trace,
    });
    if (receipt.position !== null) reply.header('bursar-position', receipt.position);
    return { results: receipt.results };
  }
}
