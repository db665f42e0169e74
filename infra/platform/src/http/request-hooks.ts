import type { IncomingHttpHeaders } from 'node:http';
import { type Reading, readIdempotencyKey } from '@bursar/contracts/http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Authenticator, bearerOf } from '../auth/authenticator.js';
import type { Principal } from '../auth/principal.js';
import type { RateLimit } from '../auth/rate-limit.js';
import { actOn, TENANT_HEADER } from '../auth/tenant.js';
import { readJson } from '../json/read-json.js';
import { traceOfRequest } from '../trace/continue-trace.js';
import { inTrace } from '../trace/trace-scope.js';
import type { BodyBudget } from './body-budget.js';
import { hasBody, isIdentity, isJson, readMediaType } from './media-type.js';
import { Problem } from './problem.js';

export type Gate = Readonly<{
  authenticator: Authenticator;
  rateLimit: RateLimit;
  /** The event loop is too late to take more. */
  isLate: () => boolean;
  onShed: () => void;
  /** Paths that answer without credentials. */
  isOpen: (path: string) => boolean;
  /** Media types of a route's body. */
  mediaTypesOf: (method: string, pattern: string | undefined) => ReadonlySet<string>;
  bodyBudget: BodyBudget;
  /** Routes whose handler proves who calls and reads the body itself. */
  isOwn: (method: string, pattern: string | undefined) => boolean;
}>;

/** What every request passes before its handler, in this order: shed, authenticate, limit, judge the headers and the body's type. */
export const installGate = (fastify: FastifyInstance, gate: Gate): void => {
  fastify.decorateRequest('principal', null);
  fastify.decorateRequest('idempotencyKey', null);
  fastify.decorateRequest('rawBody', null);
  fastify.decorateRequest('trace', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(alwaysSaid(request.id));
    request.trace = traceOfRequest(request);
    if (gate.isOpen(pathOf(request.url))) return done();
    if (gate.isLate()) {
      gate.onShed();
      return done(new Problem('overloaded', 'This process cannot keep up; nothing was stored.'));
    }
    admit(request, reply, gate).then(() => done(), done);
  });
  // As late as can be: what reads the body runs outside of any scope that began before.
  fastify.addHook('preHandler', (request, _reply, done) => inTrace(request.trace, done));
  // Every type goes through one reader; which types there are was judged by the gate.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    request.rawBody = body;
    try {
      // What is not JSON (CSV, lines of JSON) is its handler's to read.
      const isRaw = !isJson(request.headers) || gate.isOwn(request.method, request.routeOptions.url);
      done(null, body.length === 0 ? undefined : isRaw ? body : readJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
};

const admit = async (request: FastifyRequest, reply: FastifyReply, gate: Gate): Promise<void> => {
  if (!gate.isOwn(request.method, request.routeOptions.url)) {
    const principal = await authenticate(request, gate.authenticator);
    request.principal = actOn(principal, request.headers[TENANT_HEADER]);
    await gate.rateLimit.take(principal, reply);
  }
  request.idempotencyKey = readKey(request);
  if (!hasBody(request.headers) || request.is404) return;
  judgeBody(request, gate.mediaTypesOf(request.method, request.routeOptions.url));
  gate.bodyBudget.take(request, reply);
};

const authenticate = async (request: FastifyRequest, authenticator: Authenticator): Promise<Principal> => {
  const credential = bearerOf(request.headers.authorization);
  // Something is compared either way, so that an absent credential takes as long as a wrong one.
  const principal = await authenticator.authenticate(credential ?? '');
  if (principal === null || credential === null)
    throw new Problem('unauthenticated', undefined, { headers: { 'www-authenticate': 'Bearer' } });
  return principal;
};

const readKey = (request: FastifyRequest): string | null => {
  const key = request.method === 'POST' ? keyOf(request.headers) : null;
  if (key === null || typeof key === 'string') return key;
  throw new Problem('idempotency_key', key.message);
};

/** The Idempotency-Key that a POST has; a complaint of one that is none. */
export const keyOf = (headers: IncomingHttpHeaders): Reading<string | null> => {
  const header = headers['idempotency-key'];
  return readIdempotencyKey(Array.isArray(header) ? header.join(', ') : header);
};

const judgeBody = (request: FastifyRequest, mediaTypes: ReadonlySet<string>): void => {
  if (!isIdentity(request.headers)) {
    throw new Problem('unsupported_media_type', 'Bodies are read without Content-Encoding.', {
      headers: { 'accept-encoding': 'identity' },
    });
  }
  const type = readMediaType(request.headers['content-type']);
  if (type === null || !mediaTypes.has(type)) {
    throw new Problem('unsupported_media_type', `Bodies are read as ${[...mediaTypes].join(', ')} in UTF-8.`);
  }
};

/** Headers of every answer. */
export const alwaysSaid = (requestId: string): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'request-id': requestId,
});

export const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
};
