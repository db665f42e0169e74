import type { Route } from '@bursar/contracts/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { validate } from './validate.js';

/** The parts of a request as the row of the contract's table makes them. */
export type RouteInput = Readonly<{ params: unknown; query: unknown; body: unknown }>;

/** Reads a request by its row. A path that cannot name anything is 404, a version of what has none 412; query and body are 400 with all that is wrong. */
export const readRequest = (route: Route, request: FastifyRequest): RouteInput => {
  const params = route.params.safeParse(request.params);
  if (!params.success) throw new Problem('not_found');
  refuseVersion(route, request);
  return { params: params.data, query: validate(route.query, request.query), body: readBody(route, request.body) };
};

/** RFC 9110, 13.1.1: no tag matches what has none. */
const refuseVersion = ({ method, built, isVersioned }: Route, { headers }: FastifyRequest): void => {
  const named = headers['if-match'];
  if (!built || isVersioned || method === 'GET' || method === 'POST' || named === undefined || named.trim() === '*') return;
  throw new Problem('precondition_failed', 'What this changes has no version of its own: ask without If-Match.');
};

/** The body of a request as its row reads it; undefined where it takes none. Throws 400 with all that is wrong. */
export const readBody = ({ body: schema, readBodyFast, bodyOptional }: Route, body: unknown): unknown => {
  if (schema === undefined) return undefined;
  const sent = body === undefined && bodyOptional ? {} : body;
  return readBodyFast?.(sent) ?? validate(schema, sent);
};

/** What the contract names and nobody built yet: judged like the rest, then 501. Never silently ignored. */
export const registerUnbuilt = (fastify: FastifyInstance, routes: readonly Route[]): void => {
  for (const route of routes.filter(({ built }) => !built)) {
    fastify.route({
      method: route.method,
      url: route.path,
      handler: (request) => {
        readRequest(route, request);
        throw new Problem('not_implemented', `${route.operationId} is not built yet.`);
      },
    });
  }
};

const JSON_ONLY: ReadonlySet<string> = new Set(['application/json']);

/** Which media types the body of a route may have, by method and pattern; JSON alone where the table says nothing. */
export const mediaTypesBy = (routes: readonly Route[]): ((method: string, pattern: string | undefined) => ReadonlySet<string>) => {
  const types = new Map(routes.map(({ method, path, contentTypes }) => [`${method} ${path}`, new Set(contentTypes)]));
  return (method, pattern) => types.get(`${method} ${pattern}`) ?? JSON_ONLY;
};

/** The row that serves a method and pattern; undefined for what is in no table. */
export const rowsBy = (routes: readonly Route[]): ((method: string, pattern: string | undefined) => Route | undefined) => {
  const rows = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return (method, pattern) => rows.get(`${method} ${pattern}`);
};
