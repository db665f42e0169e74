import { setTimeout as delay } from 'node:timers/promises';
import { Random } from './random.ts';
import type { Tenant } from './tenants.ts';
import { query } from './witness.ts';

const EVERY_MS = [2_000, 6_000] as const;
/** Then its lease is over, and somebody takes the partition after it. */
const LEASE_MS = 300;

/**
 * A projector for which the database's clock has jumped: it takes a partition from an owner that is well, raises the epoch, and dies.
 * Processes that wake mostly hear of it before they have anything to commit; an owner in the midst of its work does not.
 */
export class Usurper {
  usurped = 0;
  readonly #dataDir: string;
  readonly #tenants: readonly Tenant[];
  readonly #random: Random;

  constructor(dataDir: string, tenants: readonly Tenant[], seed: number) {
    this.#dataDir = dataDir;
    this.#tenants = tenants;
    this.#random = new Random(seed, 'usurper');
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(this.#random.between(...EVERY_MS), undefined, { signal }).catch(() => undefined);
      const partition = this.#random.pick(this.#tenants)?.partition;
      if (partition !== undefined && !signal.aborted) await this.#usurp(partition);
    }
  }

  async #usurp(partition: number): Promise<void> {
    const taken = await query(
      this.#dataDir,
      `WITH lease AS (
         UPDATE projection.lease SET owner = 'usurper', epoch = epoch + 1, expires_at = now() + $2::int * interval '1 ms'
         WHERE consumer = 'budget' AND partition = $1 RETURNING partition
       )
       UPDATE projection.checkpoint SET epoch = epoch + 1 FROM lease
       WHERE checkpoint.partition = lease.partition AND projection = 'budget' RETURNING 1`,
      [partition, LEASE_MS],
    ).catch(() => []); // PostgreSQL was killed meanwhile
    this.usurped += taken.length;
  }
}
