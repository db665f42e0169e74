import { routeOf } from '@bursar/contracts/http';
import type { RouteInput } from '@bursar/platform';
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  RequestMapping,
  RequestMethod,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { CommandContext } from '../../features/command-context.js';
import type { Projection } from '../sql/checkpoints.js';
import { OPERATION, type OperationMeta, operatedOf } from './operated.js';
import { OperationInterceptor } from './operation-interceptor.js';

/**
 * A handler of one operation of the contract: method, path and schemas come from the route table, so that none can drift.
 * `reads`: the projections a `minPosition` waits for.
 */
export const Operation = (operationId: string, ...reads: readonly Projection[]): MethodDecorator => {
  const route = routeOf(operationId);
  const meta: OperationMeta = { route, reads };
  return applyDecorators(
    RequestMapping({ path: route.path, method: RequestMethod[route.method] }),
    SetMetadata(OPERATION, meta),
    UseInterceptors(OperationInterceptor),
  );
};

/** `@Input() { params, query, body }`: validated, typed by the handler after its schema. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext): RouteInput => operatedOf(context).input);

/** `@Sent() body`: the body as it came, before its schema filled in what it leaves out. */
export const Sent = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => context.switchToHttp().getRequest<FastifyRequest>().body,
);

/** `@Command() context`: who asks for a change, under which request id. */
export const Command = createParamDecorator((_: unknown, context: ExecutionContext): CommandContext => operatedOf(context).command);
