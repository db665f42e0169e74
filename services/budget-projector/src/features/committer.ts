import type { Slots } from '@bursar/platform';
import type { Pace } from './pace.js';

/** What a committer commits: whatever was folded since it was taken last. */
export type Source<B> = Readonly<{
  /** What was folded and not taken yet weighs. */
  pending: () => number;
  /** Among it is what is sent out once it is committed. */
  isNews: () => boolean;
  /** Takes it as plain values, at once. */
  take: () => B;
  /** Writes what was taken. */
  write: (batch: B) => Promise<void>;
  /** What follows the write, before anything more is taken. */
  after: (batch: B) => Promise<void>;
}>;

/**
 * Commits beside the fold, one transaction at a time: at once when little waits, else at the pace given, so that what changes often is
 * written once; what others wait for waits for no pace. The slots bound how many of a process write at once. After a failed commit
 * nothing more is taken; the failure is thrown to whoever folds.
 */
export class Committer<B> {
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: { error: unknown } | null = null;
  #folding = false;
  #flushes = 0;
  #due = false;
  /** Takes for the one who has a slot and found a step in its way. */
  #go: (() => void) | null = null;

  constructor(
    private readonly source: Source<B>,
    private readonly pace: Pace,
    private readonly slots: Slots,
    private readonly mostPending: number,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Runs a fold step; nothing is taken in the middle of one, except by {@link flush}. Waits while too much is not committed. */
  async around(step: () => Promise<void>): Promise<void> {
    this.#throwFailure();
    this.#folding = true;
    try {
      await step();
    } finally {
      this.#folding = false;
      this.#go?.();
    }
    this.#schedule();
    while (this.source.pending() > this.mostPending) await this.flush();
    this.#throwFailure();
  }

  /** All that is folded is committed. Called between two events. */
  async flush(): Promise<void> {
    this.#cancel();
    this.#flushes += 1;
    try {
      this.#go?.();
      while (this.#writing !== null) await this.#writing;
      this.#throwFailure();
      if (this.source.pending() > 0) await this.#start();
      this.#throwFailure();
    } finally {
      this.#flushes -= 1;
    }
  }

  /** Waits for what is being written; takes nothing more. */
  async stop(): Promise<void> {
    this.#cancel();
    this.#failure ??= { error: new Error('the committer was stopped') };
    this.#go?.();
    await this.#writing;
  }

  #schedule(): void {
    if (this.#writing !== null || this.#failure !== null || this.source.pending() === 0) return;
    const isNews = this.source.isNews();
    if (this.#timer !== null && !isNews) return;
    const wait = this.pace.waitMs(isNews);
    this.#cancel();
    if (wait <= 0 || this.#due) void this.#start();
    else this.#timer = setTimeout(() => this.#onTimer(), wait);
  }

  #onTimer(): void {
    this.#timer = null;
    if (this.#folding) this.#due = true;
    else if (this.#writing === null && this.#failure === null && this.source.pending() > 0) void this.#start();
  }

  /** Never rejects: a failure is kept. */
  #start(): Promise<void> {
    this.#due = false;
    const writing = this.#commit()
      .catch((error: unknown) => {
        this.#failure = { error };
        this.onFailure(error);
      })
      .finally(() => {
        this.#writing = null;
        if (!this.#folding) this.#schedule();
      });
    this.#writing = writing;
    return writing;
  }

  async #commit(): Promise<void> {
    const batch = await this.slots.run(() => this.#write());
    if (batch !== null) await this.source.after(batch);
  }

  /** null: stopped meanwhile. */
  async #write(): Promise<B | null> {
    const batch = await this.#takeBetweenSteps();
    if (batch !== null) await this.source.write(batch);
    return batch;
  }

  /** As late as can be: all that was folded while a slot was waited for goes with it. */
  #takeBetweenSteps(): Promise<B | null> {
    if (!this.#folding || this.#flushes > 0) return this.#take();
    const { promise, resolve } = Promise.withResolvers<B | null>();
    this.#go = () => resolve(this.#take());
    return promise;
  }

  /** At once, before whoever calls begins the next step. */
  async #take(): Promise<B | null> {
    this.#go = null;
    if (this.#failure !== null) return null;
    this.pace.committing();
    return this.source.take();
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
