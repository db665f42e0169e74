import type { FastifyReply } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from '../http/problem.js';
import type { Principal } from './principal.js';

/** API.md, Limits: what a key may ask when nothing else is set. */
export const DEFAULT_REQUESTS_PER_SECOND = 5_000;

/** Requests a second by key, in this process. Says how much is left on every answer (draft-ietf-httpapi-ratelimit-headers-11). */
export class RateLimit {
  private readonly limiters = new Map<number, RateLimiterMemory>();

  /** Throws 429 `rate_limited`. Never asked about money: a budget's refusal is 402. */
  async take(principal: Principal, reply: FastifyReply): Promise<void> {
    const limit = principal.requestsPerSecond;
    if (limit === null) return;
    const state = await this.consume(limit, principal.keyId);
    const seconds = Math.max(1, Math.ceil(state.msBeforeNext / 1_000));
    reply.header('ratelimit-policy', `"requests";q=${limit};w=1`);
    reply.header('ratelimit', `"requests";r=${Math.max(0, state.remainingPoints)};t=${seconds}`);
    if (state.consumedPoints > limit) throw new Problem('rate_limited', `More than ${limit} requests a second.`, { retryAfter: seconds });
  }

  private async consume(limit: number, keyId: string): Promise<RateLimiterRes> {
    const limiter = this.limiters.get(limit) ?? new RateLimiterMemory({ points: limit, duration: 1 });
    this.limiters.set(limit, limiter);
    try {
      return await limiter.consume(keyId);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    }
  }
}
