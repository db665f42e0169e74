import { type EpochNs, UnknownEventError } from '@bursar/contracts';
import { completesPrices } from '@bursar/contracts/folds';
import type { Lease } from '@bursar/leases';
import { type CommitBatch, toBatch } from './batches.js';
import { CommitError, noSuspects, type Suspects, setAside } from './commit-failures.js';
import { Committer } from './committer.js';
import type { Decisions } from './decisions.js';
import type { ExpiryLoop, ExpiryWatch } from './expire-holds.js';
import { CheckpointAheadOfStoreError } from './halts.js';
import { Handover } from './handover.js';
import type { Expiring } from './hold-rows.js';
import { isUnreadable, type Ledger } from './ledger.js';
import { Pace } from './pace.js';
import { PartitionState } from './partition-state.js';
import { type Portion, portionsOf } from './portions.js';
import type { ProcessShare } from './process-share.js';
import type { Fence, ProjectionTables } from './projection-tables.js';
import { sendOutbox } from './send-outbox.js';
import { TenantHistories } from './tenant-histories.js';
import { Watermark } from './watermark.js';

/** Folded without a pause, at most, in usage events: some milliseconds. Half as many would cost a fifth of the speed. */
const PORTION = 1_000;

/** Events kept for the breakdown, at most: more than may wait for a commit. */
const HANDED_OVER = 10_000;

export type ProjectOptions = Readonly<{
  lease: Lease;
  signal: AbortSignal;
  maxEvents: number;
  /** Longest pause between two commits at load. */
  pauseMs: number;
  /** What it has in common with the other partitions of this process. */
  share: ProcessShare;
  /** Folded and not committed, at most, in rows. */
  mostPending: number;
  /** The clock decisions go by. */
  now: () => EpochNs;
}>;

/** Told what happens, for metrics and for whoever follows. */
export type ProjectWatch = Readonly<{
  committed: (position: number, events: number, quarantined: number) => void;
  /** A commit left budgets whose past is to be added up. */
  counting: () => void;
  /** Of a sample of grants: budgets that are past their block point with them. */
  checked: (violations: readonly string[]) => void;
  /** A commit told of prices: there may be usage to rerate. */
  corrected: () => void;
  expiries: ExpiryWatch;
}>;

/**
 * One owner's life on a partition: take it, send what the last owner left in the outbox, then fold and commit until told to stop or
 * something fails. Everything in memory dies with it; the next life begins at the checkpoint.
 */
export class PartitionSession {
  readonly histories: TenantHistories;
  /** Committed. */
  readonly committed = new Watermark();
  /** Folded, and perhaps not committed yet. */
  readonly handover: Handover;
  readonly #ended = new AbortController();
  #decisions: Decisions | null = null;
  #fence: Fence | null = null;
  #holdsRevision = -1;
  /** Open holds of the tables when it was taken. */
  #open: readonly Expiring[] = [];
  #expiries: ExpiryLoop | null = null;

  constructor(
    private readonly tables: ProjectionTables,
    private readonly ledger: Ledger,
    private readonly options: ProjectOptions,
    private readonly watch: ProjectWatch,
  ) {
    this.histories = new TenantHistories(tables);
    this.handover = new Handover(HANDED_OVER, options.share.handedOver);
  }

  /** Aborts when the session ends, for whatever reason: what runs beside it ends too. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** What is asked of its memory; null before it runs and when it has ended. */
  get decisions(): Decisions | null {
    return this.#ended.signal.aborted ? null : this.#decisions;
  }

  /**
   * Raises the epoch, then the fence of the ledger, and only then reads; empties the outbox. Answers the position from which on the state
   * is fit to decide on. Throws {@link CheckpointAheadOfStoreError} and `LeaseLostError`.
   */
  async take(): Promise<number> {
    const { lease } = this.options;
    const { key, partition } = lease;
    let fence = await this.tables.take('budget', key);
    const before = await this.ledger.head(partition);
    if (before < fence.position) throw new CheckpointAheadOfStoreError(partition, fence.position, before);
    // Frozen since? Another may have the partition by now: what we append would only break its fence.
    if (!lease.isLive()) fence = await this.tables.take('budget', key);
    this.#holdsRevision = await this.ledger.takePartition(partition, { owner: key.owner, epoch: fence.epoch });
    const head = await this.ledger.head(partition);
    this.#open = await this.tables.expiring(partition);
    await sendOutbox(this.ledger, this.tables, partition, await this.tables.outbox(partition));
    this.#fence = fence;
    this.committed.advance(fence.position);
    return head;
  }

  /** The state is fit to decide on: holds may end by themselves from here on. */
  begin(): void {
    this.#expiries?.begin();
  }

  /** Resolves when the signal aborts, with everything folded committed; rejects with what broke it. */
  async run(suspects: Suspects = noSuspects()): Promise<void> {
    const { lease, signal, maxEvents } = this.options;
    const failed: Error[] = [];
    const state = this.#state((error) => {
      failed.push(error);
      this.#ended.abort();
    });
    this.#expiries = state.expiries;
    this.#decisions = state.decisions;
    const committer = this.#committer(state);
    const stop = AbortSignal.any([signal, this.#ended.signal]);
    const from = { partition: lease.partition, after: this.committed.position, maxEvents, signal: stop };
    try {
      await this.ledger.follow(from, async (items, alive) => {
        for (const portion of portionsOf(items, PORTION, state.own)) {
          if (stop.aborted) return;
          await this.#fold(portion, state, committer, suspects);
          alive();
        }
      });
      await committer.flush();
      const [broken] = failed;
      if (broken !== undefined) throw broken;
    } catch (error) {
      // What comes before an event of a newer release is folded and stands.
      if (error instanceof UnknownEventError) await committer.flush();
      throw error;
    } finally {
      this.#ended.abort();
      state.leave();
      this.handover.clear();
      await committer.stop();
    }
  }

  #state(failed: (error: Error) => void): PartitionState {
    const { tables, ledger, histories, handover, watch } = this;
    const { lease, share, now, signal } = this.options;
    const leaving = AbortSignal.any([signal, this.#ended.signal]);
    const at = { revision: this.#holdsRevision, position: this.committed.position, open: this.#open };
    const { checked, expiries } = watch;
    const beside = { histories, handover, room: share.memory, now, ended: this.#ended.signal, leaving };
    return new PartitionState({ tables, ledger, lease, ...at, ...beside, checked, expiries, failed });
  }

  #committer({ fold, memory }: PartitionState): Committer<CommitBatch> {
    const { pauseMs, share, mostPending } = this.options;
    const work = {
      pending: () => fold.changes.weight,
      isNews: () => fold.changes.emitted.length > 0,
      take: () => {
        memory.writing = fold.takeChanges();
        return toBatch(memory.writing);
      },
      write: async (batch: CommitBatch) => {
        await this.#commit(batch);
        memory.writing = null;
      },
      after: (batch: CommitBatch) => this.#send(batch),
    };
    return new Committer(work, new Pace(pauseMs, share.load), share.commits, mostPending, () => this.#ended.abort());
  }

  async #fold({ items, weight }: Portion, state: PartitionState, committer: Committer<CommitBatch>, suspects: Suspects): Promise<void> {
    const { share } = this.options;
    // What was decided here a moment ago is folded while the next append is on its way: whoever asks now is decided first.
    if (items.some((item) => !isUnreadable(item) && state.own.has(item.id))) await afterDeciders();
    // Whoever asks for a decision gets his turn in between, and so do the other partitions.
    await share.loop.pass();
    share.load.count(weight);
    const { fold } = state;
    const flush = (): Promise<void> => committer.flush();
    const step = async (): Promise<void> => {
      state.makeRoom();
      const careful = items.findLastIndex(({ position }) => position <= suspects.until) + 1;
      for (const item of items.slice(0, careful)) {
        await fold.fold([setAside(item, suspects)], flush);
        await flush();
      }
      await fold.fold(items.slice(careful), flush);
    };
    await committer.around(() => state.turns.take(step));
  }

  async #commit(batch: CommitBatch): Promise<void> {
    if (this.#fence === null) throw new Error('the partition was not taken');
    try {
      this.#fence = await this.tables.commit(this.#fence, batch);
    } catch (error) {
      throw new CommitError(batch.position, batch.events, error);
    }
    this.committed.advance(batch.position);
  }

  /** Others are told of what is committed. */
  async #send(batch: CommitBatch): Promise<void> {
    await sendOutbox(this.ledger, this.tables, this.options.lease.partition, batch.emitted);
    this.watch.committed(batch.position, batch.events, batch.quarantined.length);
    if (batch.counted.some(({ position }) => position === null)) this.watch.counting();
    if (batch.definitions.some(completesPrices)) this.watch.corrected();
  }
}

/** Those who are answered now ask again in this turn of the event loop, and are decided in the next. */
const afterDeciders = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
