const SWEEP_MS = 50;

/**
 * Answers for handlers that do not. One sweep for all requests: Fastify's `handlerTimeout` makes an AbortController, a timer and a
 * DOMException for each, which cost a small request as much as everything else about it.
 */
export class Deadlines<T extends object> {
  /** Until when, in order of arrival, and so of deadline. */
  private readonly pending = new Map<T, number>();
  private readonly timer: NodeJS.Timeout;

  /** @param expire answers, unless that is done or nobody's to do any more */
  constructor(
    private readonly limitMs: number,
    private readonly expire: (one: T) => void,
  ) {
    this.timer = setInterval(() => this.sweep(performance.now()), Math.min(SWEEP_MS, limitMs));
    this.timer.unref();
  }

  begin(one: T): void {
    this.pending.set(one, performance.now() + this.limitMs);
  }

  end(one: T): void {
    this.pending.delete(one);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private sweep(now: number): void {
    for (const [one, until] of this.pending) {
      if (until > now) return;
      this.pending.delete(one);
      this.expire(one);
    }
  }
}
