import { contentHash, derivedId } from '@bursar/contracts';
import type { IdempotencyKeys, KeptAnswer } from '@bursar/database';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { problemAnswer, toProblem } from './to-problem.js';

/** One use of an Idempotency-Key: the tenant's, for 24 h. `body`: whatever must be the same for a request to be the same. */
export type KeyUse = Readonly<{ tenant: string; key: string; operationId: string; body: unknown }>;
/** What the work runs under. `repeated`: an attempt before this one may have got through. */
export type Attempt = Readonly<{ requestId: string; repeated: boolean }>;
/** An answer and, where it shows a secret, the body to keep in its place: no secret lies about for 24 h. */
export type WorkAnswer = KeptAnswer & Readonly<{ bodyToKeep?: string }>;

/** Runs a POST once per Idempotency-Key, however often it is sent; also across crashes, if what it records derives from the request id. */
export class Once {
  constructor(private readonly keys: IdempotencyKeys) {}

  /**
   * The bytes of the answer: of the work, or kept from when it was done before; status and headers are set. A refusal that trying again
   * cannot change is kept as well. Throws 409 `idempotency_key_reused` or `in_flight`, and what leaves things open: faults, 503.
   */
  async answer(use: KeyUse, request: FastifyRequest, reply: FastifyReply, work: (attempt: Attempt) => Promise<WorkAnswer>): Promise<Body> {
    const { tenant, key, operationId, body } = use;
    const claim = await this.keys.claim(tenant, key, contentHash([operationId, request.url, body ?? null]));
    switch (claim.kind) {
      case 'answered':
        reply.header('idempotent-replayed', 'true');
        return writeAnswer(reply, claim.answer);
      case 'reused':
        throw new Problem('idempotency_key_reused');
      case 'in_flight':
        throw new Problem('in_flight', undefined, { retryAfter: 1 });
      case 'mine': {
        // The instant of first use is part of the id: the same key a day later is another request.
        const attempt = { requestId: derivedId('request', tenant, key, claim.since), repeated: claim.repeated };
        return writeAnswer(reply, await this.#work(use, claim.since, request, () => work(attempt)));
      }
    }
  }

  async #work({ tenant, key }: KeyUse, since: string, request: FastifyRequest, work: () => Promise<WorkAnswer>): Promise<KeptAnswer> {
    try {
      const answer = await decided(request, work);
      await this.keys.keep(tenant, key, since, { ...answer, body: answer.bodyToKeep ?? answer.body });
      return answer;
    } catch (error) {
      await this.keys.release(tenant, key, since);
      throw error;
    }
  }
}

/** The answer to keep. A fault or "later" decides nothing, and is thrown. */
const decided = async (request: FastifyRequest, work: () => Promise<WorkAnswer>): Promise<WorkAnswer> => {
  try {
    return await work();
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500 || problem.retryable) throw error;
    return problemAnswer(problem, request.id);
  }
};

type Body = Buffer | undefined;

/** As bytes: Fastify adds a charset to the type of text, and a kept answer is given again exactly as it was. */
export const writeAnswer = (reply: FastifyReply, { status, headers, body }: KeptAnswer): Body => {
  reply.code(status).headers(headers);
  return body === '' ? undefined : Buffer.from(body, 'utf8');
};
