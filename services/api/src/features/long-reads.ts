import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';

/** A handler has 8.8 s. */
const PATIENCE_MS = 7_000;
/** How long an answer that nobody could wait for is kept for who asks again. */
const KEPT_MS = 60_000;
/** At a time in this process: each reads the ledger as fast as it can. */
const MOST = 64;

/** `isLeft`: somebody was sent away to ask again. */
type Read = { readonly answer: Promise<Answer>; isLeft: boolean };

/**
 * Questions that may read more of the ledger than a request has time for. The reading goes on behind the answer 503 `counting`, and whoever
 * asks the same again gets its result, or waits for it again.
 */
@Injectable()
export class LongReads {
  readonly #reads = new Map<string, Read>();
  #running = 0;

  /** About what is past: `question` names all that the answer depends on, and equal questions at a time are one. Throws as {@link current}. */
  async answer(question: readonly unknown[], work: () => Promise<Answer>): Promise<Answer> {
    const key = JSON.stringify(question);
    return this.#hear(key, this.#reads.get(key) ?? this.#begin(key, work));
  }

  /**
   * About what is so by now: a reading that began before this question may lack what the caller wrote meanwhile, so only one that somebody was
   * sent away from is waited for. Throws 503 `counting`, `overloaded`, and what `work` throws.
   */
  async current(question: readonly unknown[], work: () => Promise<Answer>): Promise<Answer> {
    const key = JSON.stringify(question);
    const known = this.#reads.get(key);
    return this.#hear(key, known?.isLeft === true ? known : this.#begin(key, work));
  }

  async #hear(key: string, read: Read): Promise<Answer> {
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    try {
      const answer = await Promise.race([read.answer, late]);
      if (answer === null) {
        read.isLeft = true;
        throw new Problem('counting', 'That much of the ledger takes longer to add up; ask again.', { retryAfter: 1 });
      }
      this.#forget(key, read);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(key: string, work: () => Promise<Answer>): Read {
    if (Math.max(this.#running, this.#reads.size) >= MOST)
      throw new Problem('overloaded', 'Too many long questions are being answered.', { retryAfter: 2 });
    this.#running += 1;
    const answer = work().finally(() => {
      this.#running -= 1;
    });
    const read = { answer, isLeft: false };
    this.#reads.set(key, read);
    const forget = (): void => this.#forget(key, read);
    // A failure is told to those who wait, and the next one begins anew.
    answer.then(() => (read.isLeft ? setTimeout(forget, KEPT_MS).unref() : undefined), forget);
    return read;
  }

  #forget(key: string, read: Read): void {
    if (this.#reads.get(key) === read) this.#reads.delete(key);
  }
}
