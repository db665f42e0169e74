import { type EpochNs, UnknownEventError } from '@bursar/contracts';
import { completesPrices } from '@bursar/contracts/folds';
import type { Lease } from '@bursar/leases';
import { toBatch } from './batches.js';
import { Committer } from './committer.js';
import { Decisions } from './decisions.js';
import { ExpiryLoop, type ExpiryWatch } from './expire-holds.js';
import { FoldMemory } from './fold-memory.js';
import { PartitionFold } from './fold-partition.js';
import { Handover } from './handover.js';
import { HoldDesk } from './hold-desk.js';
import type { Expiring } from './hold-rows.js';
import { isUnreadable, type Ledger, type LedgerItem } from './ledger.js';
import { OwnChanges } from './own-changes.js';
import { Pace } from './pace.js';
import { type Portion, portionsOf } from './portions.js';
import type { ProcessShare } from './process-share.js';
import { DataRefusedError, type Fence, FencedError, type ProjectionTables } from './projection-tables.js';
import { sendOutbox } from './send-outbox.js';
import { TenantHistories } from './tenant-histories.js';
import { Turns } from './turns.js';
import { Watermark } from './watermark.js';

/** The projection has folded what the store does not have: a restored or forged store. Never rewound in silence (RELIABILITY F19). */
export class CheckpointAheadOfStoreError extends Error {
  override readonly name = 'CheckpointAheadOfStoreError';
  readonly code = 'CHECKPOINT_AHEAD_OF_STORE';
  constructor(
    readonly partition: number,
    readonly checkpoint: number,
    readonly head: number,
  ) {
    super(`CHECKPOINT_AHEAD_OF_STORE: partition ${partition} is folded to ${checkpoint}, the store ends at ${head}`);
  }
}

/** Folded without a pause, at most, in usage events: some milliseconds. Half as many would cost a fifth of the speed. */
const PORTION = 1_000;

/** Events kept for the breakdown, at most: more than may wait for a commit. */
const HANDED_OVER = 10_000;

/** No retry cures these: the partition stops, and this process is not ready until an operator or a new release acts. */
export const haltsPartition = (error: unknown): error is Error =>
  error instanceof CheckpointAheadOfStoreError || error instanceof UnknownEventError;

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
    const { lease, signal, maxEvents, pauseMs, share, mostPending } = this.options;
    const { partition } = lease;
    const stop = AbortSignal.any([signal, this.#ended.signal]);
    const memory = new FoldMemory(this.tables, this.ledger, this.histories, share.memory);
    const folded = new Watermark(this.committed.position);
    const turns = new Turns();
    const makeRoom = (): void => memory.evict(fold.changes);
    const failed: Error[] = [];
    const own = new OwnChanges();
    const desk = new HoldDesk({
      memory,
      tables: this.tables,
      ledger: this.ledger,
      own,
      turns,
      folded,
      makeRoom,
      now: this.options.now,
      key: lease.key,
      revision: this.#holdsRevision,
      checked: this.watch.checked,
      failed: (error) => {
        failed.push(error);
        this.#ended.abort();
      },
    });
    const expiries = new ExpiryLoop(desk, this.ledger, partition, folded, this.options.now, this.#ended.signal, this.watch.expiries);
    expiries.seed(this.#open);
    const fold = new PartitionFold(
      this.tables,
      memory,
      (item, charged) => {
        this.handover.push(item, charged);
        folded.advance(item.position);
      },
      expiries,
      own,
    );
    this.#expiries = expiries;
    this.#decisions = new Decisions(memory, folded, turns, makeRoom, this.#ended.signal, desk, () => this.ledger.head(partition));
    const committer = new Committer(
      {
        pending: () => fold.changes.weight,
        isNews: () => fold.changes.emitted.length > 0,
        take: () => {
          memory.writing = fold.takeChanges();
          return toBatch(memory.writing);
        },
        write: async (batch) => {
          await this.#commit(batch);
          memory.writing = null;
        },
        after: (batch) => this.#send(batch),
      },
      new Pace(pauseMs, share.load),
      share.commits,
      mostPending,
      () => this.#ended.abort(),
    );
    try {
      const after = this.committed.position;
      const foldPortion = async ({ items, weight }: Portion): Promise<void> => {
        // What was decided here a moment ago is folded while the next append is on its way: whoever asks now is decided first.
        if (items.some((item) => !isUnreadable(item) && own.has(item.id))) await afterDeciders();
        // Whoever asks for a decision gets his turn in between, and so do the other partitions.
        await share.loop.pass();
        share.load.count(weight);
        const step = async (): Promise<void> => {
          memory.evict(fold.changes);
          const flush = () => committer.flush();
          const careful = items.findLastIndex(({ position }) => position <= suspects.until) + 1;
          for (const item of items.slice(0, careful)) {
            await fold.fold([setAside(item, suspects)], flush);
            await committer.flush();
          }
          await fold.fold(items.slice(careful), flush);
        };
        await committer.around(() => turns.take(step));
      };
      await this.ledger.follow({ partition, after, maxEvents, signal: stop }, async (items, alive) => {
        for (const portion of portionsOf(items, PORTION, own)) {
          if (stop.aborted) return;
          await foldPortion(portion);
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
      desk.stop();
      memory.leave();
      this.handover.clear();
      await committer.stop();
    }
  }

  async #commit(batch: ReturnType<typeof toBatch>): Promise<void> {
    if (this.#fence === null) throw new Error('the partition was not taken');
    try {
      this.#fence = await this.tables.commit(this.#fence, batch);
    } catch (error) {
      throw new CommitError(batch.position, batch.events, error);
    }
    this.committed.advance(batch.position);
  }

  /** Others are told of what is committed. */
  async #send(batch: ReturnType<typeof toBatch>): Promise<void> {
    await sendOutbox(this.ledger, this.tables, this.options.lease.partition, batch.emitted);
    this.watch.committed(batch.position, batch.events, batch.quarantined.length);
    if (batch.counted.some(({ position }) => position === null)) this.watch.counting();
    if (batch.definitions.some(completesPrices)) this.watch.corrected();
  }
}

/** Those who are answered now ask again in this turn of the event loop, and are decided in the next. */
const afterDeciders = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** The checkpoint belongs to somebody else. */
export const isFenced = (error: unknown): boolean =>
  error instanceof FencedError || (error instanceof CommitError && error.cause instanceof FencedError);

/** A commit failed; `cause` is why. Of one event alone, when `events` is 1. */
export class CommitError extends Error {
  override readonly name = 'CommitError';
  constructor(
    readonly position: number,
    readonly events: number,
    cause: unknown,
  ) {
    super(`commit up to position ${position} failed`, { cause });
  }
}

/** After the tables refused a commit: up to `until` events are committed one by one, to find the one; those found are set aside. */
export type Suspects = { until: number; readonly refused: Map<number, string> };
export const noSuspects = (): Suspects => ({ until: 0, refused: new Map() });

/** Notes what a failed commit says; false when it was no refusal of the data. */
export const suspect = (suspects: Suspects, error: unknown): boolean => {
  if (!(error instanceof CommitError) || !(error.cause instanceof DataRefusedError)) return false;
  if (error.events === 1) suspects.refused.set(error.position, error.cause.message);
  suspects.until = Math.max(suspects.until, error.position);
  return true;
};

const setAside = (item: LedgerItem, { refused }: Suspects): LedgerItem => {
  const reason = refused.get(item.position);
  if (reason === undefined) return item;
  return { unreadable: reason, position: item.position, tenant: isUnreadable(item) ? item.tenant : item.meta.tenant };
};
