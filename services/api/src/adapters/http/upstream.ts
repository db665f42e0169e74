import { Readable } from 'node:stream';
import { DEFAULT_LIMITS, Problem } from '@bursar/platform';
import { Agent, type Dispatcher, errors } from 'undici';

const CONNECT_TIMEOUT_MS = 1_000;
/** Every request is answered within 10 s; the handler's own limit is 9.8 s. */
const ANSWER_TIMEOUT_MS = 9_500;
const CONNECTIONS = 64;

/** What to send on: the body passes through without being held. */
export type Forwarded = Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'headers'> & Readonly<{ body: Readable | null }>;

/** Replicas of one service behind us. Asked in turn; another one is asked only when the request never reached the first. */
export class Upstream {
  readonly #agent = new Agent({ connections: CONNECTIONS, connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: ANSWER_TIMEOUT_MS });
  readonly #origins: readonly string[];
  #next = 0;

  /** `urls`: comma separated. */
  constructor(
    readonly name: string,
    urls: string,
  ) {
    this.#origins = urls.split(',').map((url) => url.trim().replace(/\/+$/, ''));
  }

  /**
   * Throws 503 `upstream_unavailable` when nobody took it, `outcome_unknown` when somebody did and then fell silent, and 413 for a body
   * that turns out larger than allowed on the way.
   */
  async forward(request: Forwarded): Promise<Dispatcher.ResponseData> {
    for (const origin of this.#inTurn()) {
      try {
        const { method, path, headers, body } = request;
        return await this.#agent.request({ origin, method, path, headers, body: body === null ? null : untouched(body) });
      } catch (error) {
        if (error instanceof Problem) throw error;
        if (!neverArrived(error)) throw new Problem('outcome_unknown', `${this.name} did not answer.`, { cause: error });
      }
    }
    throw new Problem('upstream_unavailable', `${this.name} cannot be reached.`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #inTurn(): readonly string[] {
    this.#next = (this.#next + 1) % this.#origins.length;
    return [...this.#origins.slice(this.#next), ...this.#origins.slice(0, this.#next)];
  }
}

/**
 * The body as a stream of its own that reads nothing before it is read: the failed attempt destroys what it was given, not the body.
 * One that announced no length is counted here, so that the refusal is ours: the owner's would arrive among the body's last bytes.
 */
const untouched = (body: Readable): Readable =>
  Readable.from(
    (async function* () {
      let bytes = 0;
      for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > DEFAULT_LIMITS.bodyBytes) throw new Problem('payload_too_large');
        yield chunk;
      }
    })(),
    { objectMode: false },
  );

/** The connection was never made, so not a byte of the body is gone and the next replica may have it. */
const neverArrived = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error));

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
};
