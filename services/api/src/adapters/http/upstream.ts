import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '@bursar/platform';
import { Agent, type Dispatcher, errors } from 'undici';

export type Patience = Readonly<{
  /** How long one replica may be silent before another is asked as well. */
  patienceMs: number;
  /** How long all of them together may be. */
  answerMs: number;
  /** How often a replica that is passed over is asked whether it is well, and how long it has to say so. */
  probeMs: number;
}>;
const PATIENCE: Patience = { patienceMs: 2_500, answerMs: 8_000, probeMs: 1_000 };
/** Whoever asks whether money may be spent waits for the answer: he has one within 5 s (API.md, Enforcement), also when nobody decides. */
export const DECISION_PATIENCE: Patience = { patienceMs: 1_000, answerMs: 4_800, probeMs: 1_000 };
/** With what our own part takes, every request is answered within 10 s. */
const LONGEST_MS = 8_000;
const CONNECT_TIMEOUT_MS = 1_000;
const CONNECTIONS = 64;

export type Forwarded = Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'headers'> &
  Readonly<{
    body: Buffer | null;
    /** Sent twice it does what it does once, so another replica may be asked though this one may have done it. */
    repeatable: boolean;
    /** An answer with this status binds nobody: what another replica still has of the request may come to something else, and is waited for. */
    revisable?: number;
    /** So much longer it may be silent: it was asked to wait. */
    waitMs?: number;
  }>;

type Outcome = Readonly<
  | { kind: 'answered'; response: Dispatcher.ResponseData }
  /** The connection was never made. */
  | { kind: 'unreached' }
  /** It was taken, and no answer came. */
  | { kind: 'lost'; cause: unknown }
>;
type Attempt = Readonly<{ origin: string; abort: AbortController; outcome: Promise<Readonly<{ by: Attempt; what: Outcome }>> }>;

/** Replicas of one service behind us, asked in turn. One that is silent for too long is passed over from then on, until it is well. */
export class Upstream {
  readonly #agent = new Agent({ connections: CONNECTIONS, connect: { timeout: CONNECT_TIMEOUT_MS } });
  readonly #origins: readonly string[];
  readonly #shunned = new Set<string>();
  #next = 0;
  #closed = false;

  /** `urls`: comma separated. */
  constructor(
    readonly name: string,
    urls: string,
    private readonly times: Patience = PATIENCE,
  ) {
    this.#origins = urls.split(',').map((url) => url.trim().replace(/\/+$/, ''));
  }

  /** Throws 503 `upstream_unavailable` when nobody took it, `outcome_unknown` when somebody did and then fell silent. */
  async forward(request: Forwarded): Promise<Dispatcher.ResponseData> {
    const pending = new Set<Attempt>();
    const abandon = (): void => {
      for (const { abort } of pending) abort.abort();
    };
    const deadline = setTimeout(abandon, Math.min(this.times.answerMs + (request.waitMs ?? 0), LONGEST_MS));
    try {
      return await this.#race(request, pending);
    } finally {
      clearTimeout(deadline);
      abandon();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#agent.destroy();
  }

  async #race(request: Forwarded, pending: Set<Attempt>): Promise<Dispatcher.ResponseData> {
    const queue = this.#inTurn();
    let lost: unknown;
    let revisable: Dispatcher.ResponseData | null = null;
    for (;;) {
      const origin = revisable === null ? queue.shift() : undefined;
      if (origin !== undefined) pending.add(this.#ask(origin, request));
      if (pending.size === 0) break;
      const patienceMs = this.times.patienceMs + (request.waitMs ?? 0);
      const first = await firstOf(pending, request.repeatable && revisable === null && queue.length > 0 ? patienceMs : null);
      if (first === null) {
        for (const silent of pending) this.#shun(silent.origin);
        continue;
      }
      const { by, what } = first;
      pending.delete(by);
      if (what.kind === 'answered') {
        for (const silent of pending) this.#shun(silent.origin);
        await revisable?.body.dump();
        if (what.response.statusCode !== request.revisable || pending.size === 0) return what.response;
        revisable = what.response;
      }
      if (what.kind === 'lost') {
        lost = what.cause;
        if (!request.repeatable) break;
      }
    }
    if (revisable !== null) {
      if (lost === undefined) return revisable;
      await revisable.body.dump();
    }
    if (lost === undefined) throw new Problem('upstream_unavailable', `${this.name} cannot be reached.`);
    throw new Problem('outcome_unknown', `${this.name} did not answer.`, { cause: lost });
  }

  #ask(origin: string, { method, path, headers, body }: Forwarded): Attempt {
    const abort = new AbortController();
    const asking = this.#agent.request({ origin, method, path, headers, body, signal: abort.signal });
    const attempt: Attempt = {
      origin,
      abort,
      outcome: asking.then(
        (response) => ({ by: attempt, what: { kind: 'answered', response } }),
        (cause: unknown) => ({ by: attempt, what: neverArrived(cause) ? { kind: 'unreached' } : { kind: 'lost', cause } }),
      ),
    };
    return attempt;
  }

  #inTurn(): string[] {
    this.#next = (this.#next + 1) % this.#origins.length;
    const turn = [...this.#origins.slice(this.#next), ...this.#origins.slice(0, this.#next)];
    return this.#shunned.size === 0 ? turn : turn.sort((a, b) => Number(this.#shunned.has(a)) - Number(this.#shunned.has(b)));
  }

  /** Asked last from now on. No request of a client is spent on finding out whether it came back. */
  #shun(origin: string): void {
    if (this.#shunned.has(origin)) return;
    this.#shunned.add(origin);
    void this.#recovered(origin).then(() => this.#shunned.delete(origin));
  }

  async #recovered(origin: string): Promise<void> {
    do await delay(this.times.probeMs, undefined, { ref: false });
    while (!this.#closed && !(await this.#isReady(origin)));
  }

  async #isReady(origin: string): Promise<boolean> {
    try {
      const { statusCode, body } = await this.#agent.request({
        origin,
        method: 'GET',
        path: '/readyz',
        signal: AbortSignal.timeout(this.times.probeMs),
      });
      await body.dump();
      return statusCode === 200;
    } catch {
      // Whatever went wrong, it is not ready.
      return false;
    }
  }
}

/** What came of whichever attempt ended first; null when none did in time. */
const firstOf = async (pending: ReadonlySet<Attempt>, patienceMs: number | null): Promise<Awaited<Attempt['outcome']> | null> => {
  const outcomes = [...pending].map(({ outcome }) => outcome);
  if (patienceMs === null) return Promise.race(outcomes);
  const { promise: silence, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, patienceMs, null);
  return Promise.race([...outcomes, silence]).finally(() => clearTimeout(timer));
};

const neverArrived = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error));

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
};
