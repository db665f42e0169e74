import type { IncomingHttpHeaders } from 'node:http';
import { PROBLEMS, type Route, readPreferWait, routesOf, type Service } from '@bursar/contracts/http';
import { isIdentity, isJson, Problem, readJson, readRequest } from '@bursar/platform';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Forwarded, Upstream } from './upstream.js';

/** Headers that belong to one connection (RFC 9110 §7.6.1), and those that the next one sets by itself. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

/**
 * The routes of the other services under our address: authenticated here like all requests, then passed on as they are. The body is
 * held, so that it can be sent to another replica; what it is worth, its owner says. `judged`: what is no request of the contract is refused
 * here already, however long its owner may be silent.
 */
export const registerProxied = (fastify: FastifyInstance, service: Service, upstream: Upstream, judged = false): void => {
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    for (const route of routesOf(service)) {
      const { method, path, operationId } = route;
      const repeatable = method === 'GET' || REPEATABLE.has(operationId);
      const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
        const body = judged ? judge(route, request) : null;
        if (operationId !== 'reserve') return pass(request, reply, upstream, { repeatable });
        // Who was refused holds nothing; another replica that has the same request may yet find room.
        return pass(request, reply, upstream, { repeatable: isNamed(request, body), revisable: PROBLEMS.budget_exceeded.status });
      };
      scope.route({ method, url: path, handler });
    }
    done();
  });
};

/** Usage counts once by its own id, and is voided once, however often that is sent; a check changes nothing, and what is released stays so. */
const REPEATABLE: ReadonlySet<string> = new Set(['recordUsage', 'voidUsage', 'check', 'checkConstraints', 'releaseReservation']);

/** The same id and body again is the same reservation; what nobody named would be held twice. */
const isNamed = ({ idempotencyKey }: FastifyRequest, body: unknown): boolean =>
  idempotencyKey !== null || (typeof body === 'object' && body !== null && 'id' in body);

/** The body, read. Throws what its owner would. One of another kind than JSON is the owner's to read. */
const judge = (route: Route, request: FastifyRequest): unknown => {
  const { headers, body, params, query } = request;
  if (!Buffer.isBuffer(body)) return readRequest(route, request).body;
  // Many clients name a type also where they send nothing, as with a DELETE.
  if (body.length === 0) return readRequest(route, { params, query, headers, body: undefined } as FastifyRequest).body;
  if (!isJson(headers) || !isIdentity(headers)) return null;
  return readRequest(route, { params, query, headers, body: readJson(body) } as FastifyRequest).body;
};

/** Only a read that names a position waits for it. */
const waitOf = ({ query, headers }: FastifyRequest): number => {
  const { minPosition } = query as { minPosition?: unknown };
  return minPosition === undefined ? 0 : (readPreferWait(headers.prefer === undefined ? undefined : String(headers.prefer)) ?? 0) * 1_000;
};

const pass = async (
  request: FastifyRequest,
  reply: FastifyReply,
  upstream: Upstream,
  sending: Pick<Forwarded, 'repeatable' | 'revisable'>,
): Promise<FastifyReply> => {
  const answer = await upstream.forward({
    method: request.method as 'GET',
    path: request.url,
    headers: { ...endToEnd(request.headers), 'request-id': request.id, 'x-request-id': request.id },
    body: Buffer.isBuffer(request.body) ? request.body : null,
    ...sending,
    waitMs: waitOf(request),
  });
  answer.body.on('error', () => reply.raw.destroy());
  return reply.code(answer.statusCode).headers(endToEnd(answer.headers)).send(answer.body);
};

const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
};

/** Nobody told this process where the service is: said plainly, instead of a route that does not exist. */
export const registerUnreachable = (fastify: FastifyInstance, service: Service): void => {
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => {
      payload.resume();
      parsed(null, undefined);
    });
    for (const { method, path } of routesOf(service)) {
      scope.route({
        method,
        url: path,
        handler: () => {
          throw new Problem('upstream_unavailable', `No address of ${service} is configured.`);
        },
      });
    }
    done();
  });
};
