import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Client } from 'undici';
import { type AddressResolver, resolveTarget, systemResolver } from './resolve.js';
import { readTarget, type TargetPolicy, TargetRefused } from './target.js';

export type OutgoingOptions = TargetPolicy &
  Readonly<{
    /** Default: DNS. */
    resolver?: AddressResolver;
    /** For everything, from the look-up to the last byte of the answer. Default 15 s. */
    timeoutMs?: number;
    /** Certificates to trust instead of Node's. */
    ca?: string;
  }>;

/** One POST. `body` is sent byte for byte, which is what a signature is over. */
export type Call = Readonly<{ url: string; headers: Readonly<Record<string, string>>; body: string | Buffer }>;

/** An answer, whatever its status. Its body is read, at most 64 KB of it, and thrown away: what a target says is shown to nobody. */
export type Answered = Readonly<{ kind: 'answered'; status: number; retryAfter: string | undefined }>;
export type Outcome =
  | Answered
  /** The target may not be called; nothing was sent. */
  | Readonly<{ kind: 'refused'; reason: string }>
  /** No answer in time: no such name, port closed or filtered, bad certificate, cut off. Which of them is not told (RELIABILITY, SSRF). */
  | Readonly<{ kind: 'no_answer' }>;

const TIMEOUT_MS = 15_000;
/** A name server that says nothing for so long may answer when the target is called: it is judged again then. */
const JUDGE_MS = 1_500;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Calls targets that strangers named. Every call reads the target anew, looks its name up once, judges all addresses, and connects to
 * these and no others with the name in SNI and Host. It follows no redirect, decompresses nothing, and ends after 15 s.
 */
export class Outgoing {
  readonly #resolver: AddressResolver;

  constructor(private readonly options: OutgoingOptions) {
    this.#resolver = options.resolver ?? systemResolver(options);
  }

  /**
   * Judges a target without calling it: throws {@link TargetRefused} for an address that is not allowed. A name without an address
   * passes, because it may have one by the time it is called.
   */
  async judge(text: string): Promise<void> {
    const url = readTarget(text, this.options);
    try {
      await untilAborted(resolveTarget(url, this.options, this.#resolver), AbortSignal.timeout(JUDGE_MS));
    } catch (error) {
      if (error instanceof TargetRefused) throw error;
    }
  }

  /** Never rejects. */
  async post(call: Call, timeoutMs = this.options.timeoutMs ?? TIMEOUT_MS): Promise<Outcome> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const url = readTarget(call.url, this.options);
      const addresses = await untilAborted(resolveTarget(url, this.options, this.#resolver), deadline);
      return await this.#send(url, addresses, call, deadline);
    } catch (error) {
      return error instanceof TargetRefused ? { kind: 'refused', reason: error.message } : { kind: 'no_answer' };
    }
  }

  async #send(url: URL, addresses: readonly LookupAddress[], { headers, body }: Call, signal: AbortSignal): Promise<Outcome> {
    const client = new Client(url.origin, {
      connect: { lookup: pinned(addresses), ...(this.options.ca !== undefined && { ca: this.options.ca }) },
      maxHeaderSize: 16 * 1024,
      pipelining: 0,
    });
    try {
      const answer = await client.request({
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, 'accept-encoding': 'identity' },
        body,
        signal,
      });
      await drain(answer.body);
      const retryAfter = answer.headers['retry-after'];
      return { kind: 'answered', status: answer.statusCode, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter };
    } finally {
      await client.destroy();
    }
  }
}

/** A look-up that answers what was judged, whatever is asked: there is no second one to change its mind (DNS rebinding). */
const pinned =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, options, done) => {
    const [first] = addresses;
    if (first === undefined) done(new Error('the name has no address'), '');
    else if (options.all === true) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };

const drain = async (body: AsyncIterable<Buffer>): Promise<void> => {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return;
  }
};

const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
