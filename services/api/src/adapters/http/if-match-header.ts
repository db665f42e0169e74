import { readIfMatch } from '@bursar/contracts/http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IfMatch } from '../../features/if-match.js';

/** `@IfMatchHeader() ifMatch: IfMatchHeader` in a handler. */
export const IfMatchHeader = createParamDecorator((_: unknown, context: ExecutionContext): IfMatchHeader => {
  return readIfMatch(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']);
});
export type IfMatchHeader = IfMatch;
