import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf } from '@bursar/contracts';
import { type LedgerPosition, readPreferWait } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import type { Answer } from './answer.js';
import type { Decisions } from './decisions.js';
import { NotDecidedError, OutcomeUnknownError } from './hold-outcomes.js';
import type { Call, Owners } from './owners.js';

/** So long an owner is looked for; a caller hears 503 within 5 s (API.md, Enforcement). */
const SEARCH_MS = 4_000;
const SEARCH_EVERY_MS = 100;
/** An owner that is silent for longer may be gone: who owns it now? */
const PATIENCE_MS = 1_500;
/** So long a budget that is being counted is waited for; and for another replica, that would look for another owner after its patience, so long. */
const COUNT_MS = 2_000;
const COUNT_FORWARDED_MS = 1_000;
/** Less than the 8 s that the api gives us. */
const MAX_WAIT_MS = 7_000;

/**
 * `isFenced`: it is in the ledger, and stands whoever owns the partition by now. `refuse`: called once the refusal is the answer, so what it records
 * was really said. `counting`: a budget that blocks does not know its own past yet. `null`: it was not decided, and may be elsewhere.
 */
export type Decision = Decided | 'counting' | null;
type Decided = Readonly<{ answer: Answer; isFenced: boolean }> | Readonly<{ refuse: () => Problem; isFenced: false }>;

export type Asked = Readonly<{
  call: Call;
  minPosition: LedgerPosition | null;
  /** Another replica took us for the owner: it looks on if we are not. */
  isForwarded: boolean;
  /** The body by which another replica is asked, where that is not the call's. */
  passedOn?: () => string;
  /** From the owner's memory, of this partition. */
  decide: (decisions: Decisions, partition: number) => Promise<Decision>;
}>;

/** What of this process decides. */
export type Here = Readonly<{
  partitions: number;
  decisionsOf: (partition: number) => Decisions | null;
  url: () => string | null;
  /** Aborts when the process is told to stop. */
  stopping: () => AbortSignal;
}>;

/** Decides here, where this process owns the tenant's partition, else asks who does. Never decides without a live lease. */
export class DecideAtOwner {
  constructor(
    private readonly here: Here,
    private readonly owners: Owners,
  ) {}

  /** What this process decides at once, without a promise; null: it is not the owner, or has to wait or load something for it. */
  answerNow({ call, minPosition }: Pick<Asked, 'call' | 'minPosition'>, decide: (decisions: Decisions) => Answer | null): Answer | null {
    if (minPosition !== null) return null;
    const decisions = this.here.decisionsOf(partitionOf(call.tenant, this.here.partitions));
    const answer = decisions === null ? null : decide(decisions);
    return answer === null ? null : this.#signed(answer);
  }

  /** Rejects with 503 `no_owner` with `Retry-After`, within 5 s; and with 503 `counting`, where a count takes longer than is waited for. */
  answer(asked: Asked): Promise<Answer> {
    const partition = partitionOf(asked.call.tenant, this.here.partitions);
    const until = performance.now() + SEARCH_MS;
    const decisions = asked.minPosition === null ? this.here.decisionsOf(partition) : null;
    if (decisions === null) return this.#search(asked, partition, until);
    // Most are asked of their owner, by thousands a second, and an `async` function costs as much as a decision.
    return asked.decide(decisions, partition).then(
      (decision) =>
        decision === 'counting'
          ? this.#counted(asked, decisions, partition, until).then((answer) => answer ?? this.#search(asked, partition, until))
          : (this.#believed(decision, decisions, partition) ?? this.#search(asked, partition, until)),
      (error) => this.#failed(error, decisions, partition) ?? this.#search(asked, partition, until),
    );
  }

  async #search(asked: Asked, partition: number, until: number): Promise<Answer> {
    const { call, minPosition, isForwarded } = asked;
    if (minPosition !== null && minPosition.partition !== partition) throw elsewhere();
    const waitMs = minPosition === null ? 0 : Math.min((readPreferWait(call.prefer ?? undefined) ?? 0) * 1_000, MAX_WAIT_MS);
    for (; performance.now() < until; await delay(SEARCH_EVERY_MS)) {
      const patienceMs = Math.min(PATIENCE_MS, until - performance.now()) + waitMs;
      const answer =
        (await this.#decide(asked, partition, waitMs, until)) ?? (isForwarded ? null : await this.#ask(asked, partition, patienceMs));
      if (answer !== null) return answer;
      if (isForwarded) break;
    }
    throw new Problem('no_owner', 'Nobody decides for this tenant at the moment.');
  }

  /** null: not by this process. */
  async #decide(asked: Asked, partition: number, waitMs: number, until: number): Promise<Answer | null> {
    const { minPosition, decide } = asked;
    const decisions = this.here.decisionsOf(partition);
    if (decisions === null) return null;
    const isThere = minPosition === null || (await decisions.reached(minPosition.position, waitMs));
    let decision: Decision;
    try {
      decision = isThere
        ? await decide(decisions, partition)
        : { answer: notYet(partition, decisions.position, minPosition), isFenced: false };
    } catch (error) {
      decision = this.#failed(error, decisions, partition);
    }
    if (decision !== 'counting') return this.#believed(decision, decisions, partition);
    return this.#counted(asked, decisions, partition, Math.max(until, until - SEARCH_MS + waitMs));
  }

  /** Once the count that it met is folded. Rejects with 503 `counting`, no later than `until`. null: not by this process. */
  async #counted({ call, isForwarded, decide }: Asked, decisions: Decisions, partition: number, until: number): Promise<Answer | null> {
    const mostMs = isForwarded ? COUNT_FORWARDED_MS : COUNT_MS;
    const givenMs = (readPreferWait(call.prefer ?? undefined) ?? Number.POSITIVE_INFINITY) * 1_000;
    const waitMs = Math.min(mostMs, givenMs, until - performance.now());
    let decision: Decision;
    try {
      decision = await decisions.counts.decided(() => decide(decisions, partition), waitMs, this.here.stopping());
    } catch (error) {
      decision = this.#failed(error, decisions, partition);
    }
    if (decision !== 'counting') return this.#believed(decision, decisions, partition);
    if (this.here.decisionsOf(partition) !== decisions) return null;
    throw new Problem('counting', undefined, { retryAfter: 1 });
  }

  /** null: the lease has run out meanwhile, and another owner may have decided otherwise. */
  #believed(decision: Decided | null, decisions: Decisions, partition: number): Answer | null {
    if (decision === null || (!decision.isFenced && this.here.decisionsOf(partition) !== decisions)) return null;
    if ('refuse' in decision) throw this.#signedProblem(decision.refuse());
    return this.#signed(decision.answer);
  }

  /**
   * A refusal is an answer like any other: believed only while the lease is live, and signed. What was not decided here another may decide; what else
   * decides nothing surfaces as it is.
   */
  #failed(error: unknown, decisions: Decisions, partition: number): null {
    if (error instanceof NotDecidedError) return null;
    if (error instanceof OutcomeUnknownError) throw new Problem('outcome_unknown', undefined, { retryAfter: 1, cause: error });
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    if (this.here.decisionsOf(partition) !== decisions) return null;
    throw this.#signedProblem(error);
  }

  #signedProblem(problem: Problem): Problem {
    const url = this.here.url();
    if (url === null) return problem;
    const { code, detail, options } = problem;
    return new Problem(code, detail, { ...options, headers: { ...options.headers, 'bursar-owner': url } });
  }

  #signed(answer: Answer): Answer {
    const url = this.here.url();
    return url === null ? answer : { ...answer, headers: { ...answer.headers, 'bursar-owner': url } };
  }

  async #ask({ call, passedOn }: Asked, partition: number, patienceMs: number): Promise<Answer | null> {
    const url = await this.owners.urlOf(partition);
    if (url === null || url === this.here.url()) return null;
    const answered = new AbortController();
    const asking = this.owners
      .ask(url, passedOn === undefined ? call : { ...call, body: passedOn }, Math.ceil(patienceMs))
      .finally(() => answered.abort());
    return Promise.race([asking, this.#moved(url, partition, answered.signal)]);
  }

  /** Resolves when the partition is no longer that owner's: one that is frozen answers nothing, and is replaced meanwhile. */
  async #moved(url: string, partition: number, answered: AbortSignal): Promise<null> {
    // Where the leases cannot be read, the owner is waited for like one that is there.
    const owner = (): Promise<string | null> => this.owners.urlOf(partition).catch(() => url);
    do await delay(SEARCH_EVERY_MS, undefined, { ref: false });
    while (!answered.aborted && this.here.decisionsOf(partition) === null && (await owner()) === url);
    return null;
  }
}

const notYet = (partition: number, position: number, { position: minPosition }: LedgerPosition): Answer => {
  const at = `${partition}:${position}`;
  return {
    status: 202,
    headers: { 'content-type': 'application/json; charset=utf-8', 'retry-after': '1', 'bursar-position': at },
    body: JSON.stringify({ position: at, minPosition: `${partition}:${minPosition}` }),
  };
};

const elsewhere = (): Problem => {
  const message = 'A position of another partition';
  return new Problem('position_format', message, { errors: [{ pointer: '/minPosition', message, code: 'position_format' }] });
};
