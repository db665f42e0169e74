import type { ReadQuery, Route } from '@bursar/contracts/http';
import { type Principal, readRequest } from '@bursar/platform';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { audienceOf } from '../../domain/check/audience.js';
import type { Way } from '../../features/check.js';
import { AUDIENCE_HEADER, FORWARDED_HEADER } from './http-owners.js';

/** What `readRequest` has made already; here it gets its types back. */
export type Read = Readonly<{ params: unknown; query: z.output<typeof ReadQuery>; body: unknown }>;

export const read = (route: Route, request: FastifyRequest): Read => readRequest(route, request) as Read;

type Asked = Pick<FastifyRequest, 'method' | 'url' | 'headers' | 'rawBody'>;

/** How a question came over HTTP, and how another replica is asked it. */
export const wayOf = (request: Asked, { tenant, roles }: Principal, { minPosition }: Partial<Read['query']>): Way => {
  const { prefer, [AUDIENCE_HEADER]: audience } = request.headers;
  return {
    call: {
      tenant,
      method: request.method as Way['call']['method'],
      path: request.url,
      body: () => request.rawBody?.toString('utf8') ?? null,
      prefer: prefer === undefined ? null : String(prefer),
      audience: audienceOf(roles, audience === undefined ? undefined : String(audience)),
    },
    minPosition: minPosition ?? null,
    isForwarded: request.headers[FORWARDED_HEADER] !== undefined,
  };
};
