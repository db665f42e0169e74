import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../ops/logger.js';
import { traceFields } from '../trace/trace-scope.js';
import { answerWhileReading } from './linger.js';
import { Problem } from './problem.js';
import type { RouteIndex } from './route-index.js';
import { problemAnswer, toProblem } from './to-problem.js';

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
    const problem = request.is404 && !(exception instanceof Problem) ? this.noRoute(request) : this.problemOf(exception, request);
    // After a body that is too large or late, what follows on the connection cannot be trusted to be a request.
    if (problem.status === 413 || problem.status === 408) reply.header('connection', 'close');
    const answer = problemAnswer(problem, request.id);
    // As bytes: to a string Fastify adds a charset, which the type does not have.
    const body = Buffer.from(answer.body);
    const closes = reply.hasHeader('connection') || !reply.raw.shouldKeepAlive;
    reply
      .code(problem.status)
      .headers(answer.headers)
      .header('cache-control', 'no-store')
      .header('content-length', body.length)
      .send(closes && !request.raw.complete ? answerWhileReading(body, request.raw) : body);
  }

  /** A fault is logged, and says nothing of itself to whoever asked. */
  problemOf(exception: unknown, { id, trace }: Pick<FastifyRequest, 'id' | 'trace'>): Problem {
    const problem = toProblem(exception);
    if (problem.code === 'internal_error') this.logger.error({ err: exception, requestId: id, ...traceFields(trace) }, 'a request failed');
    return problem;
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
