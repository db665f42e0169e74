import { setTimeout as delay } from 'node:timers/promises';
import { type RunFile, readState } from '../../up/files.ts';
import type { Random } from './random.ts';

export type Reply = Readonly<{ status: number; body: unknown }>;

const ANSWER_WITHIN_MS = 12_000;

/** Calls the api's replicas as a tenant, as a careful client does: the same request again until there is an answer that settles it. */
export class Caller {
  /** Answers and failures that were not the last word, by status or kind. */
  readonly retried = new Map<string, number>();
  readonly #urls: readonly string[];
  readonly #key: string;

  readonly #dataDir: string;
  readonly #random: Random;
  readonly #giveUp: AbortSignal;

  constructor(dataDir: string, random: Random, giveUp: AbortSignal) {
    this.#dataDir = dataDir;
    this.#random = random;
    this.#giveUp = giveUp;
    const run = this.#run();
    this.#urls = run.services.filter(({ name }) => name === 'api').map(({ url }) => url);
    this.#key = run.adminApiKey;
  }

  /** null: given up without an answer, so whether it took effect is unknown. */
  async call(tenant: string, method: string, path: string, body?: unknown): Promise<Reply | null> {
    for (let pause = 50; !this.#giveUp.aborted; pause = Math.min(2 * pause, 1_000)) {
      const outcome = await this.#attempt(tenant, method, path, body);
      if (typeof outcome !== 'string' && outcome.status < 500 && outcome.status !== 429) return outcome;
      const kind = typeof outcome === 'string' ? outcome : String(outcome.status);
      this.retried.set(kind, (this.retried.get(kind) ?? 0) + 1);
      await delay(pause * this.#random.between(0.5, 1.5), undefined, { signal: this.#giveUp }).catch(() => undefined);
    }
    return null;
  }

  async #attempt(tenant: string, method: string, path: string, body: unknown): Promise<Reply | string> {
    try {
      const response = await fetch(`${this.#random.pick(this.#urls)}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          'bursar-tenant': tenant,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), this.#giveUp]),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    } catch (error) {
      return error instanceof Error ? error.name : 'failed';
    }
  }

  #run(): RunFile {
    const run = readState(this.#dataDir, 'run');
    if (run === undefined) throw new Error(`nothing runs on ${this.#dataDir}`);
    return run;
  }
}
