import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasBody } from './media-type.js';
import { Problem } from './problem.js';

/**
 * Bytes of bodies that requests in flight have announced. Beyond the limit a request is told to come back before its body is read
 * (RELIABILITY F44): a body takes several times its size while it is worked on.
 */
export class BodyBudget {
  private bytes = 0;

  constructor(
    private readonly limit: number,
    /** Of one request to that route. */
    private readonly largestOf: (method: string, pattern: string | undefined) => number,
  ) {}

  /**
   * Takes what the request announces, until its answer is sent or its connection is gone.
   * Throws 413 `payload_too_large` for more than one request may have, 503 `overloaded`.
   */
  take(request: FastifyRequest, reply: FastifyReply): void {
    if (!hasBody(request.headers)) return;
    const largest = this.largestOf(request.method, request.routeOptions.url);
    const length = Number(request.headers['content-length']);
    if (length > largest) throw new Problem('payload_too_large');
    // A chunked body announces nothing and may be as large as any.
    const bytes = Number.isFinite(length) ? length : largest;
    if (!this.hold(bytes)) throw new Problem('overloaded', 'Too many requests are being worked on; nothing was stored.');
    reply.raw.once('close', () => this.release(bytes));
  }

  /** False, and nothing is taken: that would be too many. */
  hold(bytes: number): boolean {
    if (this.bytes + bytes > this.limit) return false;
    this.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.bytes -= bytes;
  }
}
