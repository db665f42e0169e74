import type { FastifyReply, FastifyRequest } from 'fastify';

type Pending = Readonly<{ request: FastifyRequest; reply: FastifyReply; until: number }>;

const SWEEP_MS = 50;

/**
 * Answers for handlers that do not. One sweep for all requests: Fastify's `handlerTimeout` makes an AbortController, a timer and a
 * DOMException for each, which cost a small request as much as everything else about it.
 */
export class Deadlines {
  /** In order of arrival, and so of deadline. */
  private readonly pending = new Map<FastifyReply, Pending>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly limitMs: number,
    private readonly expire: (request: FastifyRequest, reply: FastifyReply) => void,
  ) {
    this.timer = setInterval(() => this.sweep(performance.now()), Math.min(SWEEP_MS, limitMs));
    this.timer.unref();
  }

  begin(request: FastifyRequest, reply: FastifyReply): void {
    this.pending.set(reply, { request, reply, until: performance.now() + this.limitMs });
  }

  end(reply: FastifyReply): void {
    this.pending.delete(reply);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private sweep(now: number): void {
    for (const { request, reply, until } of this.pending.values()) {
      if (until > now) return;
      this.pending.delete(reply);
      // A stream that has begun, and a connection that is gone, are nobody's to answer.
      if (!reply.sent && !reply.raw.headersSent && !reply.raw.destroyed) this.expire(request, reply);
    }
  }
}
