import { TokenQuery } from '@bursar/contracts/http';
import { Problem, readForeignJson, ZodPipe } from '@bursar/platform';
import { Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { fieldsOf } from '../../domain/litellm/fields.js';
import { tenantOfNotice } from '../../domain/litellm/read-notice.js';
import { type NoticeReceipt, ReceiveLitellmNotice } from '../../features/receive-litellm-notice.js';
import { RecordLitellmLogs } from '../../features/record-litellm-logs.js';
import type { UsageSender } from '../../features/sender.js';
import { LitellmCredentials } from './litellm-caller.js';
import { recordsOf } from './litellm-records.js';

/** Whose notices are that name no tenant, when the installation's own secret signed them. */
const DEFAULT_TENANT = 'default';

type Asked = z.infer<typeof TokenQuery>;

/** What a LiteLLM proxy calls. Who calls is proved from the bytes before anything reads them. */
@Controller('api/v1')
export class LitellmController {
  constructor(
    private readonly credentials: LitellmCredentials,
    private readonly receiveNotice: ReceiveLitellmNotice,
    private readonly recordLogs: RecordLitellmLogs,
  ) {}

  @Post('budget-alerts')
  @HttpCode(200)
  async notice(@Req() request: FastifyRequest, @Query(new ZodPipe(TokenQuery)) { token }: Asked): Promise<NoticeReceipt> {
    const { tenant, actor } = await this.credentials.identify(request, token);
    const body = readForeignJson(request.rawBody ?? Buffer.alloc(0));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Problem('not_an_object');
    const fields = fieldsOf(body);
    const sender = senderOf(request, tenant ?? tenantOfNotice(fields) ?? DEFAULT_TENANT, actor);
    return this.receiveNotice.execute(fields, request.idempotencyKey, sender);
  }

  @Post('litellm/logs')
  @HttpCode(200)
  async logs(@Req() request: FastifyRequest, @Query(new ZodPipe(TokenQuery)) { token }: Asked): Promise<object> {
    const { tenant, actor } = await this.credentials.identify(request, token);
    const results = await this.recordLogs.execute(recordsOf(request.rawBody), senderOf(request, tenant ?? DEFAULT_TENANT, actor));
    const counts = { accepted: 0, duplicate: 0, rejected: 0 };
    for (const { status } of results) counts[status] += 1;
    return { ...counts, results };
  }
}

const senderOf = (request: FastifyRequest, tenant: string, actor: string): UsageSender => ({
  tenant,
  actor,
  via: 'http',
  correlationId: request.id,
  trace: request.trace,
});
