import { setTimeout as delay } from 'node:timers/promises';
import { type EpochNs, partitionOf } from '@bursar/contracts';
import { type Lease, LeaseLostError } from '@bursar/leases';
import { isFenced, noSuspects, suspect } from './commit-failures.js';
import { PastCounter } from './count-past.js';
import type { Decisions } from './decisions.js';
import { haltsPartition } from './halts.js';
import type { Ledger } from './ledger.js';
import type { ProcessShare } from './process-share.js';
import { projectBreakdown } from './project-breakdown.js';
import { PartitionSession } from './project-partition.js';
import type { Projection, ProjectionTables } from './projection-tables.js';
import { UsageRerater } from './rerate-usage.js';

export type PartitionStatus =
  /** `catching-up`: taken, and not yet at the end that the ledger had then; nothing may be decided before. */
  | Readonly<{ status: 'starting' | 'catching-up' | 'running' | 'stopped' }>
  /** Something failed; it is tried again by itself. */
  | Readonly<{ status: 'recovering'; reason: string }>
  /** Nothing is folded until someone acts. */
  | Readonly<{ status: 'halted'; reason: string }>;

/** Told what the loops do: metrics and logs. */
export abstract class ProjectorEvents {
  /** From now on this process folds it, from the checkpoint on. */
  abstract taken(projection: Projection, partition: number, position: number): void;
  abstract committed(projection: Projection, partition: number, position: number, events: number): void;
  abstract quarantined(partition: number, events: number): void;
  /** A compare-and-set of the checkpoint hit no row: somebody else has taken it. */
  abstract overtaken(projection: Projection, partition: number): void;
  /** A sample of decisions was looked at: what they broke. */
  abstract checked(violations: readonly string[]): void;
  /** A hold has ended because its time was over. */
  abstract expired(): void;
  abstract failed(partition: number, what: string, error: unknown): void;
  abstract halted(partition: number, error: Error): void;
}

export type Tuning = Readonly<{
  /** The pause after a first failure; it doubles up to 5 s while nothing gets better. */
  retryMs: number;
  maxEvents: number;
  pauseMs: number;
  breakdownPauseMs: number;
  mostPending: number;
  /** The clock decisions go by. */
  now: () => EpochNs;
}>;

const LAST_RETRY_MS = 5_000;

/** An owned partition: one session after another until it is told to stop, with the breakdown and the counting beside it. */
export class PartitionRunner {
  #status: PartitionStatus = { status: 'starting' };
  #current: PartitionSession | null = null;
  /** The session committed something: the pauses before the next begin anew. */
  #progressed = false;

  constructor(
    private readonly tables: ProjectionTables,
    private readonly ledger: Ledger,
    private readonly events: ProjectorEvents,
    private readonly tuning: Tuning,
    private readonly share: ProcessShare,
    private readonly lease: Lease,
  ) {}

  get partition(): number {
    return this.lease.partition;
  }

  get status(): PartitionStatus {
    return this.#status;
  }

  get isTaken(): boolean {
    return this.#status.status !== 'starting';
  }

  /** What may be decided on: null unless it runs, has come to the head it met, and the lease is live. */
  get decisions(): Decisions | null {
    return this.#status.status === 'running' && this.lease.isLive() ? (this.#current?.decisions ?? null) : null;
  }

  /** Until the signal aborts, or the lease is another's. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const suspects = noSuspects();
    for (let wait = this.tuning.retryMs; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      this.#progressed = false;
      try {
        await this.#session(signal, suspects);
      } catch (error) {
        if (error instanceof LeaseLostError) break;
        if (haltsPartition(error)) return this.#halt(error, signal);
        this.#status = { status: 'recovering', reason: error instanceof Error ? error.name : 'failed' };
        if (isFenced(error)) this.events.overtaken('budget', this.partition);
        else this.events.failed(this.partition, 'partition', error);
        if (suspect(suspects, error)) continue;
        if (this.#progressed) wait = this.tuning.retryMs;
        await pause(wait, signal);
      }
    }
    this.#status = { status: 'stopped' };
  }

  async #session(signal: AbortSignal, suspects: ReturnType<typeof noSuspects>): Promise<void> {
    const { partition, lease, tables, ledger, tuning } = this;
    let counter: PastCounter | null = null;
    let rerater: UsageRerater | null = null;
    const session = new PartitionSession(
      tables,
      ledger,
      { lease, signal, share: this.share, ...tuning },
      {
        committed: (position, events, quarantined) => {
          this.#progressed = true;
          this.events.committed('budget', partition, position, events);
          if (quarantined > 0) this.events.quarantined(partition, quarantined);
        },
        checked: (violations) => this.events.checked(violations),
        counting: () => counter?.kick(),
        corrected: () => rerater?.kick(),
        expiries: {
          expired: () => this.events.expired(),
          failed: (error) => this.events.failed(partition, 'expiring holds', error),
        },
      },
    );
    this.#current = session;
    const head = await session.take();
    this.events.taken('budget', partition, session.committed.position);
    this.#status = { status: 'catching-up' };
    const isOurs = (tenant: string): boolean => partitionOf(tenant, ledger.partitions) === partition;
    counter = new PastCounter(tables, ledger, session.histories, partition, isOurs);
    rerater = new UsageRerater(tables, ledger, session.histories, partition, isOurs);
    const beside = AbortSignal.any([signal, session.ended]);
    await Promise.all([
      session.run(suspects),
      this.#breakdown(session, beside),
      this.#beside('counting', counter, session, head, beside),
      this.#beside('rerating', rerater, session, head, beside),
    ]);
  }

  /** Its failures are its own: it begins again at its checkpoint while the main loop goes on. */
  async #breakdown(session: PartitionSession, signal: AbortSignal): Promise<void> {
    const { partition, lease, tables, ledger, tuning } = this;
    const options = {
      lease,
      signal,
      maxEvents: tuning.maxEvents,
      pauseMs: tuning.breakdownPauseMs,
      share: this.share,
      mostPending: tuning.mostPending,
    };
    for (let wait = this.tuning.retryMs; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await projectBreakdown(tables, ledger, session, options, {
          taken: (position) => this.events.taken('breakdown', partition, position),
          committed: (position, events) => this.events.committed('breakdown', partition, position, events),
        });
      } catch (error) {
        // The main loop ends with the lease, and this one with it.
        if (isFenced(error)) this.events.overtaken('breakdown', partition);
        else if (!(error instanceof LeaseLostError)) this.events.failed(partition, 'breakdown', error);
        await pause(wait, signal);
      }
    }
  }

  /**
   * Once the loop has come to where the ledger ended, the state is fit to decide on. Counting and rerating begin then: in a rebuild what
   * they say is in the ledger already.
   */
  async #beside(
    what: string,
    work: PastCounter | UsageRerater,
    session: PartitionSession,
    head: number,
    signal: AbortSignal,
  ): Promise<void> {
    await session.committed.reached(head, signal);
    if (!signal.aborted) {
      this.#status = { status: 'running' };
      session.begin();
    }
    for (let wait = this.tuning.retryMs; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await work.run(signal);
      } catch (error) {
        this.events.failed(this.partition, what, error);
        await pause(wait, signal);
        work.kick();
      }
    }
  }

  async #halt(error: Error, signal: AbortSignal): Promise<void> {
    this.#status = { status: 'halted', reason: error.message };
    this.events.halted(this.partition, error);
    await aborted(signal);
  }
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await delay(ms * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
};

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
};
