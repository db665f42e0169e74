/** Events per second, of all partitions together, from which on commits are `longestMs` apart. */
const BUSY = 3_000;
/** Below this rate every step is committed at once. */
const CALM = 300;
/** What a step costs at least, in events: a commit of one event costs the database nearly what a commit of so many does. */
const STEP_EVENTS = 8;
/** Between two commits while there is news for others, such as a crossing: whoever waits for it waits no longer for the pace. */
const NEWS_MS = 10;
/** How much of the past the rate looks at: a burst is noticed, and forgotten, within it. */
const WINDOW_MS = 250;

/**
 * How many events this process folds per second, over all partitions: they share the database, so they share the pauses. Many small
 * steps count as what they cost, not as the few events that they bring.
 */
export class Load {
  #since = Number.NEGATIVE_INFINITY;
  #events = 0;
  #previous = 0;

  constructor(readonly now: () => number = () => performance.now()) {}

  /** A step of so many events. */
  count(events: number): void {
    this.#turn();
    this.#events += Math.max(events, STEP_EVENTS);
  }

  /** Of the last whole window, or of this one if it is busier already. */
  get perSecond(): number {
    this.#turn();
    return (Math.max(this.#previous, this.#events) * 1_000) / WINDOW_MS;
  }

  #turn(): void {
    const now = this.now();
    const elapsed = now - this.#since;
    if (elapsed < WINDOW_MS) return;
    this.#previous = elapsed < 2 * WINDOW_MS ? this.#events : 0;
    this.#events = 0;
    this.#since = now;
  }
}

/**
 * When the next commit of one loop may start: at once at low load, up to `longestMs` after its last one at high load. A changed row
 * costs the database as much as an appended event (PERFORMANCE §4), so at load rows are worth collecting; at rest nobody should wait.
 */
export class Pace {
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly longestMs: number,
    private readonly load: Load,
  ) {}

  /** @param isNews somebody outside waits for what is to be committed */
  waitMs(isNews: boolean): number {
    const busy = (this.load.perSecond - CALM) / (BUSY - CALM);
    const pause = this.longestMs * Math.min(1, Math.max(0, busy));
    return this.#startedAt + (isNews ? Math.min(pause, NEWS_MS) : pause) - this.load.now();
  }

  /** A commit starts now. */
  committing(): void {
    this.#startedAt = this.load.now();
  }
}
