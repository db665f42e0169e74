import { PROBLEMS, type ProblemCode } from '@bursar/contracts/http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../ops/logger.js';
import { traceFields } from '../trace/trace-scope.js';
import { answerWhileReading } from './linger.js';
import { Problem } from './problem.js';
import type { RouteIndex } from './route-index.js';

/** The one place where an error becomes an answer: RFC 9457, no stack, nothing of the request but what a {@link Problem} chose to say. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteIndex,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent) return;
    const problem = request.is404 && !(exception instanceof Problem) ? this.noRoute(request) : toProblem(exception);
    if (problem.code === 'internal_error') {
      this.logger.error({ err: exception, requestId: request.id, ...traceFields(request.trace) }, 'a request failed');
    }
    // After a body that is too large or late, what follows on the connection cannot be trusted to be a request.
    if (problem.status === 413 || problem.status === 408) reply.header('connection', 'close');
    // The 401 is the same text whatever was wrong, so it names no request.
    const instance = problem.status === 401 ? undefined : `urn:bursar:request:${request.id}`;
    // As bytes: to a string Fastify adds a charset, which the type does not have.
    const body = Buffer.from(JSON.stringify(problem.toDocument(instance)));
    const closes = reply.hasHeader('connection') || !reply.raw.shouldKeepAlive;
    reply
      .code(problem.status)
      .headers(problem.headers)
      .header('cache-control', 'no-store')
      .header('content-type', 'application/problem+json')
      .header('content-length', body.length)
      .send(closes && !request.raw.complete ? answerWhileReading(body, request.raw) : body);
  }

  /** Nobody serves this address: by any method (404), or by this one (405, which says by which). The address is not echoed. */
  private noRoute(request: FastifyRequest): Problem {
    const allowed = this.routes.methodsOf(request.url);
    if (allowed.length === 0) return new Problem('not_found');
    // The method is served here, so it is the address that cannot be read (`%zz`).
    if (allowed.includes(request.method)) return new Problem('bad_request');
    return new Problem('method_not_allowed', undefined, { headers: { allow: allowed.join(', ') } });
  }
}

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

export const toProblem = (exception: unknown): Problem => {
  if (exception instanceof Problem) return exception;
  const byName = exception instanceof Error ? BY_NAME[exception.name] : undefined;
  if (byName !== undefined) return byName(exception);
  const code = BY_STATUS[statusOf(exception)];
  return new Problem(code ?? 'internal_error', code === undefined ? undefined : PROBLEMS[code].title, { cause: exception });
};

const statusOf = (exception: unknown): number => {
  if (exception instanceof HttpException) return exception.getStatus();
  const status = (exception as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : 500;
};
