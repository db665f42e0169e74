import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';

/** A handler has 8.8 s. */
const PATIENCE_MS = 7_000;
/** How long an answer that nobody could wait for is kept for who asks again. */
const KEPT_MS = 60_000;
/** At a time in this process: each reads the ledger as fast as it can. */
const MOST = 64;

type Read = Readonly<{ answer: Promise<Answer> }>;

/**
 * Questions about the past that may read more of the ledger than a request has time for. The reading goes on behind the answer 503
 * `counting`, and whoever asks the same again gets its result, or waits for it again. Equal questions at a time are one.
 */
@Injectable()
export class LongReads {
  readonly #reads = new Map<string, Read>();

  /** `question` names all that the answer depends on. Throws 503 `counting`, `overloaded`, and what `work` throws. */
  async answer(question: readonly unknown[], work: () => Promise<Answer>): Promise<Answer> {
    const key = JSON.stringify(question);
    const read = this.#reads.get(key) ?? this.#begin(key, work);
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    try {
      const answer = await Promise.race([read.answer, late]);
      if (answer === null) throw new Problem('counting', 'That much of the ledger takes longer to add up; ask again.', { retryAfter: 1 });
      this.#reads.delete(key);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(key: string, work: () => Promise<Answer>): Read {
    if (this.#reads.size >= MOST)
      throw new Problem('overloaded', 'Too many questions about the past are being answered.', { retryAfter: 2 });
    const answer = work();
    const read = { answer };
    this.#reads.set(key, read);
    const forget = (): void => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    };
    // A failure is told to those who wait, and the next one begins anew.
    answer.then(() => setTimeout(forget, KEPT_MS).unref(), forget);
    return read;
  }
}
