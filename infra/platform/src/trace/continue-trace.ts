import { randomBytes } from 'node:crypto';
import { childTrace, readTrace, type Trace } from '@bursar/contracts';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace the request came with, seen from this service; null without a valid one. */
    trace: Trace | null;
  }
}

/** A span of this service below whoever sent something; no trace begins here. */
export const continueTrace = (trace: Trace | null): Trace | null =>
  trace === null ? null : childTrace(trace, randomBytes(8).toString('hex'));

/** The trace of a request's headers (W3C Trace Context). One that is not valid is none. */
export const traceOfRequest = ({ headers }: Pick<FastifyRequest, 'headers'>): Trace | null =>
  headers.traceparent === undefined ? null : continueTrace(readTrace(headers.traceparent, headers.tracestate));
