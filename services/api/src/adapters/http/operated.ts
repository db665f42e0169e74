import type { Route } from '@bursar/contracts/http';
import type { RouteInput } from '@bursar/platform';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { CommandContext } from '../../features/command-context.js';
import type { Projection } from '../sql/checkpoints.js';

/** What a handler is: an operation of the contract, and the projections its `minPosition` waits for. */
export type OperationMeta = Readonly<{ route: Route; reads: readonly Projection[] }>;
export const OPERATION = Symbol('operation');

/** What the interceptor made of a request, for the handler. */
export type Operated = Readonly<{ input: RouteInput; command: CommandContext }>;
const operated = new WeakMap<FastifyRequest, Operated>();

export const setOperated = (request: FastifyRequest, value: Operated): void => {
  operated.set(request, value);
};

/** Throws for a handler that is no operation: a mistake of ours. */
export const operatedOf = (context: ExecutionContext): Operated => {
  const value = operated.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (value === undefined) throw new Error('a handler without @Operation asked for its input');
  return value;
};
