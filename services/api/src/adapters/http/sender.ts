import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Sender } from '../../features/usage-intake.js';

/** `@SenderOf() sender: Sender`: whose request is passed on, with the credential it came with. */
export const SenderOf = createParamDecorator((_: unknown, context: ExecutionContext): Sender => {
  const { headers, idempotencyKey, id } = context.switchToHttp().getRequest<FastifyRequest>();
  const kept = ['authorization', 'bursar-tenant', 'traceparent', 'tracestate', 'bursar-audience'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { headers: Object.fromEntries([...kept, ['request-id', id]]), idempotencyKey };
});
