import type { Logger } from '@bursar/platform';
import type { Deliver } from './deliver.js';
import type { Claimed, Deliveries } from './ports.js';

/** Attempts under way in this process: open sockets, little else. */
const AT_ONCE = 200;
/** Of one tenant: its slow targets leave room for those of others. */
const OF_A_TENANT = 20;
/** Without a word from this process: what other replicas made, or gave up. */
const POLL_MS = 1_000;
const LEAST_WAIT_MS = 5;
/** A quarter of what a claim lasts. Most attempts end before. */
const RENEW_MS = 2_000;

/**
 * Claims what is due and attempts it, until it is stopped. Sleeps until the next instant at which something is due; what this process
 * records wakes it at once. Any number of replicas do so beside each other; what one of them had under way when it died is free again within
 * seconds, as it is held by being said so again and again.
 */
export class Dispatcher {
  readonly #underWay = new Map<string, number>();
  readonly #attempts = new Set<Promise<void>>();
  /** Claimed, and whether it was when claims were renewed last. */
  readonly #held = new Map<Claimed, boolean>();
  #stopping = false;
  #awake = false;
  #rouse: () => void = () => undefined;
  #loop: Promise<void> = Promise.resolve();
  #renewing: NodeJS.Timeout | undefined;

  constructor(
    private readonly deliveries: Deliveries,
    private readonly deliver: Deliver,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#loop = this.#run();
    this.#renewing = setInterval(() => void this.#renew(), RENEW_MS).unref();
  }

  /** Something new is due. */
  wake(): void {
    this.#awake = true;
    this.#rouse();
  }

  /** Claims no more and waits for what is under way; it ends by its own time limit. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#rouse();
    await this.#loop;
    await Promise.all(this.#attempts);
    clearInterval(this.#renewing);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#awake = false;
      const waitMs = await this.#claim();
      if (waitMs > 0 && !this.#awake && !this.#stopping) await this.#sleep(waitMs);
    }
  }

  /** Answers how long there is nothing to do; 0: look again at once. */
  async #claim(): Promise<number> {
    const room = AT_ONCE - this.#attempts.size;
    if (room <= 0) return POLL_MS;
    const full = [...this.#underWay].filter(([, count]) => count >= OF_A_TENANT).map(([tenant]) => tenant);
    try {
      // A target may give two.
      const { claimed, nextMs } = await this.deliveries.claim(Math.ceil(room / 2), full);
      for (const one of claimed) this.#begin(one);
      return claimed.length > 0 ? 0 : Math.min(POLL_MS, Math.max(LEAST_WAIT_MS, nextMs ?? POLL_MS));
    } catch (error) {
      this.logger.warn({ err: error }, 'deliveries could not be claimed; it is tried again');
      return POLL_MS;
    }
  }

  /**
   * One after the other while there is more for its channel, in one place among the attempts under way. Where the places are all taken it
   * is given up, so that channels take turns.
   */
  async #deliver(first: Claimed): Promise<void> {
    const takesNext = (): boolean =>
      !this.#stopping && this.#attempts.size < AT_ONCE && (this.#underWay.get(first.tenant) ?? 0) < OF_A_TENANT;
    for (let next: Claimed | null = first; next !== null; ) next = await this.#attempt(next, takesNext);
  }

  async #attempt(claimed: Claimed, takesNext: () => boolean): Promise<Claimed | null> {
    this.#held.set(claimed, false);
    try {
      return await this.deliver.attempt(claimed, takesNext);
    } finally {
      this.#held.delete(claimed);
    }
  }

  async #renew(): Promise<void> {
    const long = [...this.#held].flatMap(([claimed, isKnown]) => (isKnown ? [claimed] : []));
    for (const claimed of this.#held.keys()) this.#held.set(claimed, true);
    if (long.length === 0) return;
    await this.deliveries.renew(long).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'deliveries under way could not be held; they may be made twice');
    });
  }

  #begin(first: Claimed): void {
    const { tenant } = first;
    this.#underWay.set(tenant, (this.#underWay.get(tenant) ?? 0) + 1);
    const attempt = this.#deliver(first)
      // It is claimed still: when its lease ends it is attempted again.
      .catch((error: unknown) => this.logger.error({ err: error, tenant }, 'what a delivery came to could not be recorded'))
      .finally(() => {
        const left = (this.#underWay.get(tenant) ?? 1) - 1;
        if (left === 0) this.#underWay.delete(tenant);
        else this.#underWay.set(tenant, left);
        this.#attempts.delete(attempt);
        this.wake();
      });
    this.#attempts.add(attempt);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
