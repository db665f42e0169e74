import { randomUUID } from 'node:crypto';
import { isIssueCode, type LedgerPosition, readPreferWait } from '@bursar/contracts/http';
import {
  type Attempt,
  callerOf,
  Once,
  type Principal,
  Problem,
  type RouteInput,
  readRequest,
  type WorkAnswer,
  writeAnswer,
} from '@bursar/platform';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Rejection } from '../../domain/rejection.js';
import type { Answer } from '../../features/answer.js';
import { actingOn } from './acting-on.js';
import { MinPosition } from './min-position.js';
import { OPERATION, type OperationMeta, setOperated } from './operated.js';

/** What every operation goes through around its handler: validate, wait for a minimum position, run once per key, write the answer. */
@Injectable()
export class OperationInterceptor implements NestInterceptor {
  constructor(
    private readonly once: Once,
    private readonly minPosition: MinPosition,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.#run(context, () => lastValueFrom(next.handle()) as Promise<Answer>));
  }

  async #run(context: ExecutionContext, handle: () => Promise<Answer>): Promise<Buffer | undefined> {
    const meta = Reflect.getMetadata(OPERATION, context.getHandler()) as OperationMeta;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const input = readRequest(meta.route, request);
    const caller = actingOn(callerOf(request), input);
    const wait = await this.#wait(meta, request, caller, input);
    if (wait !== null) return writeAnswer(reply, keep(wait));

    const attempt = async ({ requestId, repeated }: Attempt): Promise<WorkAnswer> => {
      setOperated(request, { input, command: { tenant: caller.tenant, actor: caller.actor, requestId, repeated, trace: request.trace } });
      return keep(await handle().catch((error: unknown) => Promise.reject(error instanceof Rejection ? toRefusal(error) : error)));
    };
    const key = request.idempotencyKey;
    if (key === null) return writeAnswer(reply, await attempt({ requestId: randomUUID(), repeated: false }));
    const use = { tenant: caller.tenant, key, operationId: meta.route.operationId, body: request.body };
    return this.once.answer(use, request, reply, attempt);
  }

  async #wait({ reads }: OperationMeta, request: FastifyRequest, caller: Principal, { query }: RouteInput): Promise<Answer | null> {
    const { minPosition } = (query ?? {}) as { minPosition?: LedgerPosition };
    if (minPosition === undefined) return null;
    return this.minPosition.wait(caller.tenant, minPosition, readPreferWait(header(request, 'prefer')), reads);
  }
}

const keep = ({ status, body, headers = {}, shownOnce }: Answer): WorkAnswer => {
  const text = textOf(body);
  return {
    status,
    headers: body === undefined ? headers : { 'content-type': 'application/json; charset=utf-8', ...headers },
    ...(shownOnce === undefined ? { body: text } : { body: textOf({ ...(body as object), ...shownOnce }), bodyToKeep: text }),
  };
};

/** Text is an answer of another type (CSV), whose type is among the headers. */
const textOf = (body: unknown): string => (body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));

const toRefusal = ({ code, message, pointer }: Rejection): Problem =>
  new Problem(code, message, pointer === undefined || !isIssueCode(code) ? {} : { errors: [{ pointer, message, code }] });

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};
