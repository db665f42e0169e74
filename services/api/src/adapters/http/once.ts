import { contentHash, derivedId } from '@bursar/contracts';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { IdempotencyKeys, type KeptAnswer } from '../sql/idempotency.js';

/** One use of an Idempotency-Key: the tenant's, for 24 h. */
export type KeyUse = Readonly<{ tenant: string; key: string; operationId: string; path: string; body: unknown }>;
/** What the work runs under. `repeated`: an attempt before this one may have got through. */
export type Attempt = Readonly<{ requestId: string; repeated: boolean }>;
/** `final`: the answer decided something and stands; another one may come out of trying again. */
export type Made = Readonly<{ answer: KeptAnswer; final: boolean }>;

/** Runs a POST once per Idempotency-Key, however often it is sent; also across crashes, because its events derive from the key's use. */
@Injectable()
export class Once {
  constructor(private readonly keys: IdempotencyKeys) {}

  /** Throws 409 `idempotency_key_reused` or `in_flight`, and whatever the work throws. */
  async run(use: KeyUse, work: (attempt: Attempt) => Promise<Made>): Promise<Readonly<{ answer: KeptAnswer; replayed: boolean }>> {
    const claim = await this.keys.claim(use.tenant, use.key, contentHash([use.operationId, use.path, use.body ?? null]));
    switch (claim.kind) {
      case 'answered':
        return { answer: claim.answer, replayed: true };
      case 'reused':
        throw new Problem('idempotency_key_reused');
      case 'in_flight':
        throw new Problem('in_flight', undefined, { retryAfter: 1 });
      case 'mine':
        return { answer: await this.#work(use, claim.since, claim.repeated, work), replayed: false };
    }
  }

  async #work({ tenant, key }: KeyUse, since: string, repeated: boolean, work: (attempt: Attempt) => Promise<Made>): Promise<KeptAnswer> {
    try {
      // The instant of first use is part of the id: the same key a day later is another request.
      const { answer, final } = await work({ requestId: derivedId('request', tenant, key, since), repeated });
      if (final) await this.keys.keep(tenant, key, since, answer);
      else await this.keys.release(tenant, key, since);
      return answer;
    } catch (error) {
      await this.keys.release(tenant, key, since);
      throw error;
    }
  }
}
