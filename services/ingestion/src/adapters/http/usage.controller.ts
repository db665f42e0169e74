import { Caller, type Principal, ZodPipe } from '@bursar/platform';
import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DryRunUsage } from '../../features/dry-run-usage.js';
import { RecordUsage } from '../../features/record-usage.js';
import { readUsageRequest } from './usage-body.js';

const UsageQuery = z.strictObject({ dryRun: z.enum(['true', 'false']).optional() });

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
    @Query(new ZodPipe(UsageQuery)) { dryRun }: z.infer<typeof UsageQuery>,
    @Caller() caller: Principal,
  ): Promise<unknown> {
    const items = readUsageRequest(request);
    if (dryRun === 'true') {
      reply.code(200);
      return { results: await this.dryRunUsage.execute(items, caller.tenant) };
    }
    const receipt = await this.recordUsage.execute(items, {
      tenant: caller.tenant,
      actor: caller.actor,
      via: 'http',
      correlationId: request.id,
    });
    if (receipt.position !== null) reply.header('bursar-position', receipt.position);
    return { results: receipt.results };
  }
}
