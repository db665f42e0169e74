import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Limits } from './limits.js';
import type { ProblemFilter } from './problem-filter.js';
import { answerTransportError } from './transport-errors.js';

/** A caller's own request id is kept when it is plain, so that logs of both sides meet. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
export const requestId = (request: Pick<IncomingMessage, 'headers'>): string => {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
};

export const fastifyOptions = (filter: ProblemFilter, limits: Limits): FastifyServerOptions =>
  ({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Idle connections end at once when the process stops; those with a request in flight are waited for.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // X-Forwarded-* are anybody's to write: never believed (IN-A20).
    trustProxy: false,
    genReqId: (request) => requestId(request),
    logger: false,
    routerOptions: { maxParamLength: limits.pathParameter },
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckMs,
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => answerTransportError(error, socket),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => filter.answer(error, request, reply),
  }) as FastifyServerOptions;
