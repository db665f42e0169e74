import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';

/** The two loops of the projector and alerting's, each with its own checkpoint. */
export type Projection = 'budget' | 'breakdown' | 'alerting';

const LOOK_EVERY_MS = 10;

type Waiter = Readonly<{ partition: number; position: number; projection: Projection; resolve: () => void }>;

/** Waits until a projection has folded a position. However many wait, one small query at a time looks. */
@Injectable()
export class Checkpoints {
  readonly #waiting = new Set<Waiter>();
  #looking = false;

  constructor(private readonly db: Kysely<Database>) {}

  /** How far the projection is; 0 before it began. */
  async position(projection: Projection, partition: number): Promise<number> {
    const row = await this.db
      .selectFrom('projection.checkpoint')
      .select('position')
      .where('projection', '=', projection)
      .where('partition', '=', partition)
      .executeTakeFirst();
    return row?.position ?? 0;
  }

  /** True once the projection has folded the position; false when it has not within the time. */
  async passed(projection: Projection, partition: number, position: number, timeoutMs: number): Promise<boolean> {
    if (position <= 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter: Waiter = { partition, position, projection, resolve: () => resolve(true) };
    this.#waiting.add(waiter);
    const timer = setTimeout(() => resolve(false), timeoutMs);
    try {
      this.#look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    }
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookUntilNobodyWaits().finally(() => {
      this.#looking = false;
    });
  }

  async #lookUntilNobodyWaits(): Promise<void> {
    while (this.#waiting.size > 0) {
      try {
        await this.#releaseWhoIsServed();
      } catch {
        // A database that does not answer serves nobody: waiters run into their own time limit and say so.
      }
      if (this.#waiting.size > 0) await delay(LOOK_EVERY_MS);
    }
  }

  async #releaseWhoIsServed(): Promise<void> {
    const partitions = [...new Set([...this.#waiting].map((waiter) => waiter.partition))];
    const rows = await this.db
      .selectFrom('projection.checkpoint')
      .select(['projection', 'partition', 'position'])
      .where('partition', 'in', partitions)
      .execute();
    const at = new Map(rows.map((row) => [`${row.projection}/${row.partition}`, row.position]));
    for (const waiter of this.#waiting) {
      if ((at.get(`${waiter.projection}/${waiter.partition}`) ?? 0) < waiter.position) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
