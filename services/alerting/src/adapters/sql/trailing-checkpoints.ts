import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@bursar/database';
import { CheckpointLostError, type Checkpoints, type LeaseKey } from '@bursar/leases';
import type { Kysely } from 'kysely';

/** Between two transactions that only move a checkpoint. */
const EVERY_MS = 50;
const RETRY_MS = 1_000;

/** One partition, from when it was taken until it is taken anew. */
type Place = { committed: number; wanted: number; writing: Promise<void>; isTrailing: boolean; isBusy: boolean; lost: Error | null };

/**
 * Checkpoints that wait for nobody where a batch brought nothing: they follow behind, many batches in one transaction, while the next are
 * worked on. A process that dies in between gets these batches again, which is what it gets for any batch that it had in hand.
 */
export class TrailingCheckpoints {
  readonly #places = new Map<number, Place>();

  constructor(
    private readonly checkpoints: Pick<Checkpoints, 'take' | 'commit'>,
    private readonly trouble: (error: unknown) => void,
  ) {}

  /** {@link Checkpoints.take}. */
  async take(lease: LeaseKey): Promise<number> {
    const position = await this.checkpoints.take(lease);
    this.#places.set(lease.partition, {
      committed: position,
      wanted: position,
      writing: Promise.resolve(),
      isTrailing: false,
      isBusy: false,
      lost: null,
    });
    return position;
  }

  /** {@link Checkpoints.commit}, after what is being written. Throws too when an earlier {@link pass} found the partition taken. */
  async commit(partition: number, last: number, effects: (trx: Kysely<Database>) => Promise<void>): Promise<void> {
    const place = this.#placeOf(partition);
    place.isBusy = true;
    try {
      await place.writing;
      if (place.lost !== null) throw place.lost;
      await this.checkpoints.commit(partition, last, effects);
      place.committed = last;
      place.wanted = last;
    } finally {
      place.isBusy = false;
    }
  }

  /** The checkpoint is moved to `last` soon, unless the signal aborts first. Throws when the partition was found taken by another. */
  pass(partition: number, last: number, signal: AbortSignal): void {
    const place = this.#placeOf(partition);
    if (place.lost !== null) throw place.lost;
    place.wanted = last;
    if (!place.isTrailing) void this.#trail(partition, place, signal);
  }

  /** Never rejects. */
  async #trail(partition: number, place: Place, signal: AbortSignal): Promise<void> {
    place.isTrailing = true;
    while (place.wanted > place.committed && !place.isBusy && place.lost === null && this.#places.get(partition) === place) {
      const to = place.wanted;
      let pause = EVERY_MS;
      place.writing = this.checkpoints
        .commit(partition, to, async () => undefined)
        .then(
          () => {
            place.committed = to;
          },
          (error: unknown) => {
            if (error instanceof CheckpointLostError) place.lost = error;
            else this.trouble(error);
            pause = RETRY_MS;
          },
        );
      await place.writing;
      if (signal.aborted) break;
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
      // Told to leave: what was passed last is written all the same, once.
    }
    place.isTrailing = false;
  }

  #placeOf(partition: number): Place {
    const place = this.#places.get(partition);
    if (place === undefined) throw new Error(`partition ${partition} was not taken`);
    return place;
  }
}
