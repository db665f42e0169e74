import type { Database, Pool } from '@bursar/database';
import { CheckpointLostError, type Fence, type LeaseKey, takeCheckpoint } from '@bursar/leases';
import type { Kysely } from 'kysely';

/** Whose checkpoints and leases these are. */
export const RELAY = 'relay';

/** EVENTS as it is known when checkpoints are saved: its time of making and a sequence that no message acknowledged until then exceeds. */
export type StreamState = Readonly<{ created: string; sequence: number }>;

type Term = { fence: Fence; position: number; lost: (error: CheckpointLostError) => void };

/** One mark of a partition for each such span of time is kept. */
const MARK_SPAN_SECONDS = 120;

/**
 * How far the fan-out has come in the partitions of this process: `projection.checkpoint`, each fenced by its epoch. With each goes a
 * mark of what EVENTS held by then (`projection.relay_mark`), in the same statement, so that none is saved without the other.
 */
export class RelayCheckpoints {
  readonly #terms = new Map<number, Term>();
  readonly #dirty = new Set<number>();
  #saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly db: Kysely<Database>,
  ) {}

  /** Where a partition goes on. `lost` is called when another takes it, or sets it back. Throws `LeaseLostError`. */
  async take(lease: LeaseKey, lost: (error: CheckpointLostError) => void): Promise<number> {
    const fence = await takeCheckpoint(this.db, RELAY, lease);
    this.#dirty.delete(lease.partition);
    this.#terms.set(lease.partition, { fence, position: fence.position, lost });
    return fence.position;
  }

  /** Everything up to a position is acknowledged. Nothing happens to a partition that was lost. */
  advance(partition: number, position: number): void {
    const term = this.#terms.get(partition);
    if (term === undefined) return;
    term.position = position;
    this.#dirty.add(partition);
  }

  /** Saves what is not saved, and has no more to do with the partition. Rejects when the database does not answer. */
  async end(partition: number, state: StreamState | null): Promise<void> {
    try {
      await this.save(state);
    } finally {
      this.#forget(partition);
    }
  }

  /** All were set back, and their epochs raised. */
  loseAll(): void {
    for (const [partition, term] of [...this.#terms]) {
      this.#forget(partition);
      term.lost(new CheckpointLostError(term.fence));
    }
  }

  /** Some partition is relayed here. */
  get isInUse(): boolean {
    return this.#terms.size > 0;
  }

  /** One statement for all that moved since the last time. `state` as it is at this moment; null: nothing was acknowledged ever. */
  save(state: StreamState | null): Promise<void> {
    const moved = [...this.#dirty].flatMap((partition) => {
      const term = this.#terms.get(partition);
      return term === undefined ? [] : [{ partition, term, position: term.position }];
    });
    this.#dirty.clear();
    if (moved.length === 0) return Promise.resolve();
    // One after the other: two could hit the table in another order.
    this.#saving = this.#saving.then(() => this.#write(moved, state));
    const written = this.#saving;
    this.#saving = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      for (const { partition } of moved) if (this.#terms.has(partition)) this.#dirty.add(partition);
      throw error;
    });
  }

  #forget(partition: number): void {
    this.#terms.delete(partition);
    this.#dirty.delete(partition);
  }

  async #write(moved: readonly Readonly<{ partition: number; term: Term; position: number }>[], state: StreamState | null): Promise<void> {
    const { rows } = await this.pool.query<{ partition: number }>(SAVE, [
      moved.map(({ partition }) => partition),
      moved.map(({ term }) => term.fence.epoch),
      moved.map(({ position }) => position),
      state?.created ?? null,
      state?.sequence ?? 0,
      MARK_SPAN_SECONDS,
    ]);
    const saved = new Set(rows.map(({ partition }) => partition));
    for (const { partition, term } of moved) {
      if (saved.has(partition)) continue;
      if (this.#terms.get(partition) === term) this.#forget(partition);
      term.lost(new CheckpointLostError(term.fence));
    }
  }
}

const SAVE = `
  WITH moved AS (
    SELECT * FROM unnest($1::int4[], $2::int8[], $3::int8[]) AS moved (partition, epoch, position)
  ), saved AS (
    UPDATE projection.checkpoint AS checkpoint SET position = moved.position FROM moved
    WHERE checkpoint.projection = '${RELAY}' AND checkpoint.partition = moved.partition AND checkpoint.epoch = moved.epoch
    RETURNING checkpoint.partition, checkpoint.position
  ), noted AS (
    INSERT INTO projection.relay_mark (partition, span, stream_created, sequence, position)
    SELECT partition, extract(epoch FROM now())::int8 / $6::int, $4::text, $5::int8, position FROM saved WHERE $4::text IS NOT NULL
    ON CONFLICT (partition, span) DO UPDATE
    SET stream_created = excluded.stream_created, sequence = excluded.sequence, position = excluded.position
  ), known AS (
    UPDATE projection.relay_stream SET sequence = greatest(sequence, $5::int8)
    WHERE stream_created = $4::text AND EXISTS (SELECT 1 FROM saved)
  )
  SELECT partition FROM saved`;
