import { PROBLEMS, type ProblemCode } from '@bursar/contracts/http';
import { isOutage, type KeptAnswer } from '@bursar/database';
import { HttpException } from '@nestjs/common';
import { Problem } from './problem.js';

/** What Fastify and Nest throw by themselves, by status; anything unknown is a fault. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  431: 'headers_too_large',
};

/** The store's two failures, the same for every service that appends. By name: the platform does not know the store. */
const BY_NAME: Readonly<Record<string, (cause: unknown) => Problem>> = {
  StoreUnavailableError: (cause) => new Problem('store_unavailable', undefined, { retryAfter: 2, cause }),
  StoreOverloadedError: (cause) => new Problem('overloaded', 'Too much waits to be stored; nothing of this was.', { cause }),
};

/** What is thrown, as the problem it answers. Faults are `internal_error`, with the fault as its cause. */
export const toProblem = (exception: unknown): Problem => {
  if (exception instanceof Problem) return exception;
  const byName = exception instanceof Error ? BY_NAME[exception.name] : undefined;
  if (byName !== undefined) return byName(exception);
  if (isOutage(exception)) return new Problem('store_unavailable', 'The database does not answer.', { retryAfter: 2, cause: exception });
  const code = BY_STATUS[statusOf(exception)];
  return new Problem(code ?? 'internal_error', code === undefined ? undefined : PROBLEMS[code].title, { cause: exception });
};

const statusOf = (exception: unknown): number => {
  if (exception instanceof HttpException) return exception.getStatus();
  const status = (exception as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : 500;
};

/** A problem as it is sent. `requestId` names this one occurrence of it. */
export const problemAnswer = (problem: Problem, requestId: string): KeptAnswer => ({
  status: problem.status,
  headers: { ...problem.headers, 'content-type': 'application/problem+json' },
  body: JSON.stringify(problem.toDocument(requestId)),
});
