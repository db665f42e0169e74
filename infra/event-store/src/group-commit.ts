import { type AppendRequest, type AppendResult, StoreOverloadedError, StoreUnavailableError } from './port.js';

/** How one request of a group ended: requests of a group succeed and fail independently. */
export type Settled = Readonly<{ ok: true; result: AppendResult }> | Readonly<{ ok: false; error: unknown }>;

export type GroupLimits = Readonly<{
  /** A group holds at most this many events, unless one request alone has more. */
  groupEvents: number;
  groupBytes: number;
  /** What may wait over all partitions; beyond it {@link StoreOverloadedError}. */
  queuedEvents: number;
  queuedBytes: number;
  /** What has waited longer when its turn comes is refused: its caller has given up, and behind a dead server nothing may pile up. */
  queueMs: number;
}>;

type Waiting = Readonly<{
  request: AppendRequest;
  bytes: number;
  since: number;
  resolve: (result: AppendResult) => void;
  reject: (error: unknown) => void;
}>;

/** Rough size of an event beside its texts: id, hash, numbers. */
const EVENT_OVERHEAD = 120;

/**
 * Group commit without a timer: per partition one transaction is in flight, whatever arrives meanwhile waits and goes together in the
 * next one. A lone caller never waits for company; under load a commit's cost is shared by all that waited.
 */
export class GroupCommit {
  private readonly queues = new Map<number, Waiting[]>();
  private readonly busy = new Set<number>();
  private events = 0;
  private bytes = 0;
  private closed = false;
  private idle: (() => void) | undefined;

  constructor(
    private readonly limits: GroupLimits,
    /** Never rejects: a fault is an outcome of each request. */
    private readonly commit: (partition: number, requests: readonly AppendRequest[]) => Promise<readonly Settled[]>,
    /** Milliseconds of a monotonic clock. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  submit(request: AppendRequest): Promise<AppendResult> {
    if (this.closed) return Promise.reject(new StoreUnavailableError('the event store is closed'));
    const bytes = request.events.reduce((sum, e) => sum + EVENT_OVERHEAD + e.data.length + e.meta.length, 0);
    if (this.events + request.events.length > this.limits.queuedEvents || this.bytes + bytes > this.limits.queuedBytes) {
      return Promise.reject(new StoreOverloadedError(`${this.events} events wait to be stored`));
    }
    this.events += request.events.length;
    this.bytes += bytes;
    return new Promise((resolve, reject) => {
      const waiting = { request, bytes, since: this.now(), resolve, reject };
      const queue = this.queues.get(request.partition);
      if (queue === undefined) this.queues.set(request.partition, [waiting]);
      else queue.push(waiting);
      if (!this.busy.has(request.partition)) void this.drain(request.partition);
    });
  }

  /** Lets what was accepted finish; refuses the rest. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.busy.size > 0) {
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    }
  }

  private async drain(partition: number): Promise<void> {
    this.busy.add(partition);
    // Requests made in the same turn of the event loop belong together.
    await Promise.resolve();
    for (let group = this.take(partition); group.length > 0; group = this.take(partition)) {
      const settled = await this.commit(
        partition,
        group.map((waiting) => waiting.request),
      );
      group.forEach((waiting, index) => {
        const outcome = settled[index];
        this.leave(waiting);
        if (outcome?.ok) waiting.resolve(outcome.result);
        else waiting.reject(outcome?.error ?? new StoreUnavailableError('the append was not answered'));
      });
    }
    this.busy.delete(partition);
    if (this.busy.size === 0) this.idle?.();
  }

  private take(partition: number): readonly Waiting[] {
    const queue = this.queues.get(partition) ?? [];
    const oldest = this.now() - this.limits.queueMs;
    for (let late = queue[0]; late !== undefined && late.since < oldest; late = queue[0]) {
      queue.shift();
      this.leave(late);
      late.reject(new StoreUnavailableError('waited too long for its turn; nothing was stored'));
    }
    let [count, events, bytes] = [0, 0, 0];
    for (const waiting of queue) {
      events += waiting.request.events.length;
      bytes += waiting.bytes;
      if (count > 0 && (events > this.limits.groupEvents || bytes > this.limits.groupBytes)) break;
      count += 1;
    }
    return queue.splice(0, count);
  }

  private leave(waiting: Waiting): void {
    this.events -= waiting.request.events.length;
    this.bytes -= waiting.bytes;
  }
}
