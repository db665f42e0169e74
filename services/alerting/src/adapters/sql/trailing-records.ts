import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@bursar/database';
import { type Checkpoints, type LeaseKey, LeaseLostError } from '@bursar/leases';
import type { Kysely } from 'kysely';
import type { RecordedBatch } from '../../features/ports.js';
import { RecordQueue } from './record-queue.js';

/** Between two transactions that only move a checkpoint. */
const EVERY_MS = 500;
const RETRY_MS = 1_000;
/** Whoever is more events ahead than that waits. */
const MAX_WAITING = 2_000;

export type Recorder = Readonly<{
  /** In the transaction that moves the checkpoint. */
  record: (trx: Kysely<Database>, batch: RecordedBatch) => Promise<void>;
  /** It is committed. Must not throw. */
  committed: (batch: RecordedBatch) => void;
  /** It could not be recorded, and is tried again. */
  trouble: (error: unknown) => void;
}>;

/** One partition, from when it was taken until it is taken anew. */
type Place = {
  readonly lease: LeaseKey;
  committed: number;
  wanted: number;
  readonly queue: RecordQueue;
  isRunning: boolean;
  writing: Promise<boolean>;
  failure: Error | null;
  /** Another has the partition, or it was taken anew. */
  isOver: boolean;
  wake: () => void;
};

/**
 * Records what batches brought behind the loop that brings them, in order: all that waits in one transaction with the checkpoint, at once;
 * a checkpoint alone every now and then. So no alert waits until another is recorded. A process that dies in between gets these batches
 * again, which is what it gets for any batch that it had in hand.
 */
export class TrailingRecords {
  readonly #places = new Map<number, Place>();

  constructor(
    private readonly checkpoints: Pick<Checkpoints, 'take' | 'commit'>,
    private readonly recorder: Recorder,
    private readonly everyMs = EVERY_MS,
  ) {}

  /** {@link Checkpoints.take}, after what is being recorded: nothing of before may move the checkpoint afterwards. */
  async take(lease: LeaseKey): Promise<number> {
    const before = this.#places.get(lease.partition);
    if (before !== undefined) {
      before.isOver = true;
      await before.writing;
    }
    const position = await this.checkpoints.take(lease);
    this.#places.set(lease.partition, {
      lease,
      committed: position,
      wanted: position,
      queue: new RecordQueue(lease.partition),
      isRunning: false,
      writing: Promise.resolve(true),
      failure: null,
      isOver: false,
      wake: () => undefined,
    });
    return position;
  }

  /**
   * The next batch; without events only its checkpoint is moved. Resolves at once unless too much waits. Throws what recording fails with
   * since: then the partition is to be taken anew.
   */
  async follow(batch: RecordedBatch, signal: AbortSignal): Promise<void> {
    const place = this.#places.get(batch.partition);
    if (place === undefined) throw new Error(`partition ${batch.partition} was not taken`);
    while (place.queue.events > MAX_WAITING && place.failure === null) {
      this.#start(place, signal);
      await place.writing;
    }
    if (place.failure !== null) throw place.failure;
    place.wanted = batch.last;
    if (batch.events.length > 0) {
      place.queue.push(batch);
      place.wake();
    }
    this.#start(place, signal);
  }

  #start(place: Place, signal: AbortSignal): void {
    if (!place.isRunning) void this.#run(place, signal);
  }

  /** Never rejects. */
  async #run(place: Place, signal: AbortSignal): Promise<void> {
    place.isRunning = true;
    while (place.wanted > place.committed && !place.isOver) {
      place.writing = this.#write(place);
      const isWritten = await place.writing;
      // Told to leave: what waited last is written all the same, once.
      if (signal.aborted) break;
      if (!isWritten) await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      else if (place.queue.events === 0) await idle(place, this.everyMs, signal);
    }
    place.isRunning = false;
  }

  async #write(place: Place): Promise<boolean> {
    const { partition } = place.lease;
    try {
      if (place.failure !== null) await this.#takeAgain(place);
      if (place.wanted > place.committed) {
        const batch = place.queue.next(place.wanted);
        await this.checkpoints.commit(partition, batch.last, async (trx) => {
          if (batch.events.length > 0) await this.recorder.record(trx, batch);
        });
        passed(place, batch.last);
        if (batch.events.length > 0) this.recorder.committed(batch);
      }
      place.failure = null;
      return true;
    } catch (error) {
      place.isOver ||= error instanceof LeaseLostError;
      if (!place.isOver) this.recorder.trouble(error);
      place.failure ??= error instanceof Error ? error : new Error(String(error));
      return false;
    }
  }

  /** Whether a commit took effect that was not answered is seen by the checkpoint. */
  async #takeAgain(place: Place): Promise<void> {
    passed(place, await this.checkpoints.take(place.lease));
  }
}

const passed = (place: Place, position: number): void => {
  place.committed = position;
  place.queue.passed(position);
};

/** Until there is something to record, or it is time to move the checkpoint. */
const idle = async (place: Place, ms: number, signal: AbortSignal): Promise<void> => {
  const ended = new AbortController();
  place.wake = () => ended.abort();
  await delay(ms, undefined, { signal: AbortSignal.any([signal, ended.signal]), ref: false }).catch(() => undefined);
  place.wake = () => undefined;
};
