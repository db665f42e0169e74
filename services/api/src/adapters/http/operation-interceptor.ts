import { randomUUID } from 'node:crypto';
import { isIssueCode, type LedgerPosition, readIdempotencyKey, readPreferWait } from '@bursar/contracts/http';
import { callerOf, type Principal, Problem, type RouteInput, readRequest, toProblem } from '@bursar/platform';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Rejection } from '../../domain/rejection.js';
import type { Answer } from '../../features/answer.js';
import type { KeptAnswer } from '../sql/idempotency.js';
import { isOutage } from '../sql/outage.js';
import { MinPosition } from './min-position.js';
import { type Attempt, type Made, Once } from './once.js';
import { OPERATION, type OperationMeta, setOperated } from './operated.js';

/** What every operation goes through around its handler: validate, wait for a minimum position, run once per key, write the answer. */
@Injectable()
export class OperationInterceptor implements NestInterceptor {
  constructor(
    private readonly once: Once,
    private readonly minPosition: MinPosition,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const answer = this.#run(context, () => lastValueFrom(next.handle()) as Promise<Answer>);
    return from(answer.catch((error: unknown) => Promise.reject(isOutage(error) ? toUnavailable(error) : error)));
  }

  async #run(context: ExecutionContext, handle: () => Promise<Answer>): Promise<Buffer | undefined> {
    const meta = Reflect.getMetadata(OPERATION, context.getHandler()) as OperationMeta;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const caller = callerOf(request);
    const input = readRequest(meta.route, request);
    const wait = await this.#wait(meta, request, caller, input);
    if (wait !== null) return write(reply, keep(wait));

    const attempt = async ({ requestId, repeated }: Attempt): Promise<Answer> => {
      setOperated(request, { input, command: { tenant: caller.tenant, actor: caller.actor, requestId, repeated, trace: request.trace } });
      return handle().catch((error: unknown) => Promise.reject(error instanceof Rejection ? toRefusal(error) : error));
    };
    const key = meta.route.method === 'POST' ? idempotencyKey(request) : null;
    if (key === null) return write(reply, keep(await attempt({ requestId: randomUUID(), repeated: false })));

    const use = { tenant: caller.tenant, key, operationId: meta.route.operationId, path: request.url, body: request.body };
    const { answer, replayed } = await this.once.run(use, (one) => make(request, () => attempt(one)));
    if (replayed) reply.header('idempotent-replayed', 'true');
    return write(reply, answer);
  }

  async #wait({ reads }: OperationMeta, request: FastifyRequest, caller: Principal, { query }: RouteInput): Promise<Answer | null> {
    const { minPosition } = (query ?? {}) as { minPosition?: LedgerPosition };
    if (minPosition === undefined) return null;
    return this.minPosition.wait(caller.tenant, minPosition, readPreferWait(header(request, 'prefer')), reads);
  }
}

/** The answer to keep for the key. A refusal that trying again cannot change is one too; a fault or "later" decides nothing. */
const make = async (request: FastifyRequest, work: () => Promise<Answer>): Promise<Made> => {
  try {
    return { answer: keep(await work()), final: true };
  } catch (error) {
    const problem = toProblem(error);
    const document = problem.toDocument(`urn:bursar:request:${request.id}`);
    if (problem.status >= 500 || document.retryable === true) throw error;
    const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
    return { answer: { status: problem.status, headers, body: JSON.stringify(document) }, final: true };
  }
};

const keep = ({ status, body, headers = {} }: Answer): KeptAnswer => ({
  status,
  headers: body === undefined ? headers : { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: body === undefined ? '' : JSON.stringify(body),
});

/** As bytes: Fastify adds a charset to the type of text, and a kept answer is given again exactly as it was. */
const write = (reply: FastifyReply, { status, headers, body }: KeptAnswer): Buffer | undefined => {
  reply.code(status).headers(headers);
  return body === '' ? undefined : Buffer.from(body, 'utf8');
};

/** A command may have been stored before the answer was lost; a read leaves nothing in doubt, and saying so does no harm. */
const toUnavailable = (cause: unknown): Problem =>
  new Problem('store_unavailable', 'The database does not answer.', { extensions: { outcome: 'unknown' }, retryAfter: 2, cause });

const toRefusal = ({ code, message, pointer }: Rejection): Problem =>
  new Problem(code, message, pointer === undefined || !isIssueCode(code) ? {} : { errors: [{ pointer, message, code }] });

const idempotencyKey = (request: FastifyRequest): string | null => {
  const key = readIdempotencyKey(header(request, 'idempotency-key'));
  if (key === null || typeof key === 'string') return key;
  throw new Problem('idempotency_key', key.message);
};

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};
